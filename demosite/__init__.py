"""A small web site of our own, with good and bad headers, to try headersweep on without touching anybody's server."""
