"""Pure judging of headers: values in, findings out; no I/O, no clock."""
