"""What ``headersweep explain`` knows: everything with a name that people meet, and a few sentences about each."""
