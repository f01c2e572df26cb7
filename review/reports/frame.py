"""What our HTML files share: a head with a policy that forbids everything, foreign text made harmless, bars."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from review.reports import style, texts

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
    yield "<main>"


def foot() -> Iterator[str]:
    """What ends a report."""
    yield from ("</main>", "</body>", "</html>")


def text(foreign: str) -> str:
    """Foreign text, harmless in a document and to look at."""
    return escape(texts.visible(foreign))


def bar(part: int, whole: int, label: str = "") -> str:
    """How much of the whole a part is, drawn without a style of its own: the policy forbids those."""
    width = max(1, round(1000 * part / whole)) if part and whole else 0
    return (
        f'<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" '
        f'aria-label="{text(label) if label else f"{texts.share(part, whole)} of the pages"}">'
        f'<rect class="all" width="1000" height="10"/><rect class="part" width="{width}" height="10"/></svg>'
    )
