"""Judging what active probes were answered: one file a kind. Pure: answers in, findings on the whole run out."""
