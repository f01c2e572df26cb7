"""Pure judging of headers: values in, findings out. Filled by the review."""
