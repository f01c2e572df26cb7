"""What browsers really do with header lines: recorded once with a real one, and compared with our review."""
