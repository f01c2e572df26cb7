"""The kinds of probes that are judged, registered by hand: one line each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from review.probes import cors, error_page, exposed_files, reporting_endpoints, upload_limit

READERS: dict[str, Callable[[int, bytes], dict[str, Any] | None]] = {
    "exposed_files": exposed_files.read,
    "error_page": error_page.read,
}
"""What is kept of a body with a status, by kind: never the body, nor a secret. A kind that is not here reads none."""

JUDGES = (cors, exposed_files, upload_limit, reporting_endpoints, error_page)

BY_CODE = {rule.code: rule for judge in JUDGES for rule in judge.RULES}
"""Every rule about what probes were answered, by its code."""
