"""Grades of other tools, reproduced: shown beside our findings, never instead of them."""
