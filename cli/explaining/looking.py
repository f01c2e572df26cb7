"""Explanations of what is looked at beyond the review: items of both checklists, and probes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cli.explaining.explanation import OPERATOR, SITE_OWNER, Explanation
from cli.selfcheck import table
from headersweep.checklist import Item
from headersweep.probes import ProbeKind
from review import hardening
from review.cacherules import probing
from review.probes import cors, error_page, exposed_files, reporting_endpoints, upload_limit

ASKS = {
    ProbeKind.CORS: f"GET of up to {cors.MAX_PAGES} pages of each of up to {cors.MAX_ORIGINS} origins, once for each of "
    f"{len(cors.Step)} foreign Origins: one that nobody can own, null, and two that look like the site's",
    ProbeKind.EXPOSED_FILES: f"GET of {len(exposed_files.PATHS)} paths, such as /.env and /.git/HEAD, on each of up to "
    f"{exposed_files.MAX_ORIGINS} origins of the start URLs; of what is there only its kind is kept",
    ProbeKind.UPLOAD_LIMIT: f"POST to one start URL of each of up to {upload_limit.MAX_ORIGINS} origins, with Expect: "
    f"100-continue and a Content-Length of {upload_limit.ANNOUNCED_BYTES:,}; the connection is closed before the body",
    ProbeKind.REPORTING_ENDPOINTS: f"OPTIONS of up to {reporting_endpoints.MAX_ENDPOINTS} endpoints that the site's headers "
    "name, on whosever servers they are; no report is sent",
    ProbeKind.ERROR_PAGE: f"GET of one path that no site has, on each of up to {error_page.MAX_ORIGINS} origins of the start URLs",
    ProbeKind.CACHE: f"GET of up to {probing.MAX_EXAMPLES} examples of each kind of each cache rule, two or three times, then with each bypass "
    "condition and a dummy value",
}
"""What each kind of probe asks for, at the most, after one run."""


def explanations() -> Iterator[Explanation]:
    """Every item of both checklists, then every kind of probe."""
    for item in hardening.ITEMS.values():
        yield _item(item, f"{SITE_OWNER}, or whoever declares it", _off(item))
    for item in table.ITEMS.values():
        yield _item(item, OPERATOR, "it is looked at only when somebody types `headersweep checklist --self`")
    yield from map(_probe, ProbeKind)


def _item(item: Item, owner: str, off: str) -> Explanation:
    place = "_all.toml" if item.name in table.ITEMS else "the site's file"
    return Explanation(
        "item of the checklist",
        item.name,
        f"{item.title}. Area: {item.area}. Looked at: {item.looks_at}. Expected: {item.expected}.",
        f"To mend it: {item.fix}. To undo that: {item.rollback}.",
        f"{off}. Where the verdict is unknown, [[declare]] in {place} says who knows, until when",
        owner,
        re.escape(f'"{item.name}"'),
        "docs/checklist.md",
    )


def _off(item: Item) -> str:
    kind = hardening.PROBED_BY.get(item.name)
    if kind is None:
        return "it is looked at only when somebody types `headersweep checklist SITE`"
    return f"its requests are made only with [probes] {kind} = true in the site's file"


def _probe(kind: ProbeKind) -> Explanation:
    items = [name for name, each in hardening.PROBED_BY.items() if each is kind]
    what_for = f"the item {items[0]}" if items else "the cache rules of the site's file"
    return Explanation(
        "probe",
        str(kind),
        f"Requests beyond the pages of a run, after it, for {what_for}: {ASKS[kind]}.",
        "Some mistakes show only to whoever asks for them. Probes keep the site's pace, robots.txt, window and addresses, one at a time at an origin.",
        f"it is off unless the site's file says [probes] {kind} = true; without that, or with `headersweep pause`, none is made",
        SITE_OWNER,
        re.escape(f'{kind.name} = "{kind}"'),
        "docs/site-files.md",
    )
