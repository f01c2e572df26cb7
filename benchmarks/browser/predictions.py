"""What our review must conclude: from its effective values to what a browser will be seen to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.browser import hosts
from benchmarks.browser.records import Record
from review import judge
from review import received as reading
from review.csp import effective as csp
from review.csp import parse
from review.csp.places import Place
from review.csp.sources import SELF
from review.received import Received

Did = dict[str, Any]


def received(record: Record, kind: str = "text/html", scheme: str = "https") -> Received:
    """The answer of a case as the review takes it."""
    return reading.received((*record.pairs, ("Content-Type", kind)), scheme=scheme, host=record.host)


def predicted(record: Record) -> Did:
    """What a browser will do, by our review alone."""
    return PREDICTIONS[record.about](record)


def _effective(record: Record, name: str, kind: str = "text/html") -> Any:
    return judge.effective(received(record, kind)).get(name)


def _sniffing(record: Record) -> Did:
    return {"script": _effective(record, "x-content-type-options", "text/plain") != "nosniff"}


def _framing(record: Record) -> Did:
    policies = [one for one in parse.enforced(received(record)) if "frame-ancestors" in one.directives]
    origins = {"same": hosts.FIRST, "sibling": hosts.SUB, "foreign": hosts.HARNESS}
    if policies:
        allowed = csp.together(policies, "frame-ancestors")
        return {key: allowed.reaches(Place("https", host)) or (key == "same" and allowed.reaches(Place("https", SELF))) for key, host in origins.items()}
    value = _effective(record, "x-frame-options")
    return {key: value is None or (value == "sameorigin" and key == "same") for key in origins}


PREDICTIONS: dict[str, Callable[[Record], Did]] = {
    "sniffing": _sniffing,
    "framing": _framing,
}
