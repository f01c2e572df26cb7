"""The checklist of headersweep's own deployment: what a machine can see of it from where the command is typed."""
