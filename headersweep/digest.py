"""The digest of a run: equal digests mean that the same pages answered with the same headers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

Row = tuple[bytes, str, int | None, bytes | None]
"""URL key, outcome, status, content hash."""


def run_digest(rows: Iterable[Row]) -> bytes:
    """SHA-256 over one readable line a visit. The rows come sorted by URL key; ValueError if they do not."""
    hashed = hashlib.sha256()
    last = b""
    for row in rows:
        if row[0] <= last:
            raise ValueError(
                f"visits out of order at URL key {row[0].hex()}: a digest needs them sorted, each once"
            )
        last = row[0]
        hashed.update(line(row).encode())
    return hashed.digest()


def line(row: Row) -> str:
    """What one visit adds to the digest: ``<key> <outcome> <status or -> <content hash or ->``."""
    url_key, outcome, status, content_hash = row
    shown_status = "-" if status is None else status
    shown_hash = "-" if content_hash is None else content_hash.hex()
    return f"{url_key.hex()} {outcome} {shown_status} {shown_hash}\n"
