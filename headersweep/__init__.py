"""The pure vocabulary of headersweep: values in, values out, no input or output."""

__version__ = "0.1.0"
