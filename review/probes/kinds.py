"""The kinds of probes that are judged, registered by hand: one line each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headersweep.probes import ProbeKind
from review.cacherules import probing
from review.probes import cors, error_page, exposed_files, reporting_endpoints, upload_limit

READERS: dict[str, Callable[[int, bytes], dict[str, Any] | None]] = {
    ProbeKind.EXPOSED_FILES: exposed_files.read,
    ProbeKind.ERROR_PAGE: error_page.read,
    ProbeKind.CACHE: probing.kept_of_body,
}
"""What is kept of a body with a status, by kind: never the body, nor a secret. A kind that is not here reads none."""

JUDGES = (cors, exposed_files, upload_limit, reporting_endpoints, error_page)

BY_CODE = {rule.code: rule for judge in JUDGES for rule in judge.RULES}
"""Every rule about what probes were answered, by its code."""
