"""Secrets in URLs, known by the names of their parameters; and their masking, for whatever shows a URL as evidence."""

from __future__ import annotations

import re

NAMES = (
    "pass(word|wd|phrase)?|pwd|secret|client_secret|token|access_token|id_token|refresh_token|api_?key|auth|"
    "sess(ion)?(id|_id)?|jsessionid|phpsessid|sid"
)
"""Names of parameters whose value is a secret by what it is called; Postgres and Python read it alike."""

MASK = "<masked>"
_VALUE = re.compile(rf"([?&;/](?:{NAMES})=)[^&;#/\s]+", re.IGNORECASE)


def masked(text: str) -> str:
    """A URL, or a text with URLs in it, without the values of such parameters."""
    return _VALUE.sub(rf"\1{MASK}", text)
