"""Shared caches that read headers otherwise than the standard does, one file each."""
