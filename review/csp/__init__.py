"""Content Security Policy (CSP Level 3): parsing, what lists allow, several policies together, and comparing."""
