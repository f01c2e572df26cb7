"""CSV for spreadsheets: one visit a line, under names that never change order."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from cli.render import words
from headersweep.states import Outcome

COLUMNS = ("url", "outcome", "status", "content_hash", "fetched_at", "elapsed_ms", "error")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def line(cells: Sequence[Any]) -> str:
    """One line as RFC 4180 wants it; text that a spreadsheet would run as a formula is quoted with an apostrophe."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow([_inert(cell) for cell in cells])
    return buffer.getvalue()


def _inert(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell


def cells(visit: Mapping[str, Any], content_hash: bytes | None) -> list[Any]:
    """The cells of one visit, in the order of the columns."""
    return [
        visit["url"],
        Outcome(visit["outcome"]).label,
        visit["status"],
        words.hexed(content_hash),
        words.instant(visit["fetched_at"]),
        visit["elapsed_ms"],
        visit["error"],
    ]
