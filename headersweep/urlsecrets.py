"""Secrets in URLs, known by the names of their parameters or by a form that only issuers make; and their masking in evidence."""

from __future__ import annotations

import re

NAMES = (
    "pass(word|wd|phrase)?|pwd|secret|client_secret|token|access_token|id_token|refresh_token|api_?key|auth|"
    "sess(ion)?(id|_id)?|jsessionid|phpsessid|sid"
)
"""Names of parameters whose value is a secret by what it is called, in whatever case; Postgres and Python read it alike."""

FORMS = (
    "(AKIA|ASIA)[A-Z2-7]{16}|gh[oprsu]_[A-Za-z0-9]{36}|glpat-[A-Za-z0-9_-]{20}|[sr]k_live_[A-Za-z0-9]{16}|"
    "xox[abeoprs]-[A-Za-z0-9-]{10}|eyJ[A-Za-z0-9_-]{6,}[.]eyJ[A-Za-z0-9_-]{6,}[.]"
)
"""What only issuers make, wherever it stands; case counts."""

SIGNED = "X-Amz-Signature="
"""A signed link to a file names the key by design; who has the link has no more than that file."""

MASK = "<masked>"
_VALUE = re.compile(rf"([?&;/](?:{NAMES})=)[^&;#/\s]+", re.IGNORECASE)
_FORM = re.compile(rf"(?:{FORMS})[A-Za-z0-9_.-]*")


def masked(text: str) -> str:
    """A URL, or a text with URLs in it, without what is secret in them."""
    return _FORM.sub(MASK, _VALUE.sub(rf"\1{MASK}", text))
