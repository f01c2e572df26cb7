"""Which group of cases is observed how, in the order in which records are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from benchmarks.browser import observers_csp, observers_embedding, observers_pages
from benchmarks.browser.observing import Did, Lab
from benchmarks.browser.records import Case

OBSERVERS: dict[str, Callable[[Lab, Sequence[Case]], Iterator[Did | None]]] = {
    "transport": observers_pages.transport,
    "sniffing": observers_embedding.sniffing,
    "framing": observers_embedding.framing,
    "referrer": observers_pages.referrer,
    "content": observers_csp.content,
    "sandbox": observers_csp.sandboxed,
    "permissions": observers_pages.permissions,
    "opener": observers_pages.opener,
    "isolation": observers_pages.isolation,
    "resource": observers_embedding.resource,
    "agents": observers_pages.agents,
    "cookies": observers_pages.cookies,
    "cors": observers_embedding.cors,
    "caching": observers_embedding.caching,
    "clearing": observers_pages.clearing,
    "documents": observers_pages.documents,
    "integrity": observers_pages.integrity,
}
"""An observer says None where the browser does not have the thing at all."""
