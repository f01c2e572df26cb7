"""Pure rendering: rows in, text out."""
