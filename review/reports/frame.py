"""What our HTML files share: a head with a policy that forbids everything, and the headers to serve them with."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from review.reports import style

POLICY = f"default-src 'none'; style-src {style.SOURCE}; base-uri 'none'; form-action 'none'"
"""Stands in the file itself, so that it also holds where the file is opened from a disk."""

HEADERS: tuple[tuple[str, str], ...] = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", f"{POLICY}; frame-ancestors 'none'"),
    ("Strict-Transport-Security", "max-age=63072000; includeSubDomains"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Embedder-Policy", "require-corp"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
"""What a server should send along with a report."""


def head(title: str) -> Iterator[str]:
    """Everything before what a report has to say, with the policy that forbids it all else."""
    yield "<!doctype html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
    yield '<meta name="referrer" content="no-referrer">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{escape(title)}</title>"
    yield f"<style>{style.SHEET}</style>"
    yield "</head>"
    yield "<body>"


def foot() -> Iterator[str]:
    """What ends a report."""
    yield from ("</body>", "</html>")
