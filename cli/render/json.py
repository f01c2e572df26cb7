"""JSON for scripts: one object with ``schema_version``; its shape is a contract (docs/cli.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cli.render import words
from cli.report import Action, HeaderSet, Run, RunReport, Trouble
from headersweep.states import Outcome

if TYPE_CHECKING:
    from review.report import Cause, Report

SCHEMA_VERSION = 1


def document(**content: Any) -> str:
    """One object, with the version of its shape first."""
    return json.dumps({"schema_version": SCHEMA_VERSION, **content}, ensure_ascii=False, indent=2)


def runs(found: Iterable[Run], reviews: Mapping[int, Report | None] | None = None) -> str:
    """What ``sweep``, ``resume``, ``rerun`` and ``runs`` print; ``reviews`` by the number of the run."""
    known = reviews or {}
    return document(runs=[run_object(run, known.get(run.run_id)) for run in found])


def run_object(run: Run, review: Report | None = None) -> dict[str, Any]:
    """One run; the counts are null until it is over, and ``rules_version`` is null where it was not judged."""
    return {
        "run": run.run_id,
        "site": run.site,
        "slot": words.instant(run.slot),
        "state": str(run.state),
        "pages": run.pages,
        "accounting": run.accounting,
        "snapshots": run.snapshots,
        "new_snapshots": run.new_snapshots,
        "changed_pages": run.changed_pages,
        "digest": words.hexed(run.digest),
        "duration_ms": run.duration_ms,
        "requested_by": run.requested_by,
        "reason": run.reason,
        "generation": run.generation,
        "last_action": run.last_action and _action(run.last_action),
        "grade": review and review.grade,
        "rules_version": review and review.rules_version,
        "not_judged": review and review.not_judged,
        "findings": [finding(cause) for cause in review.causes] if review else [],
    }


def finding(cause: Cause) -> dict[str, Any]:
    """One cause, with everything that a person needs to understand and mend it."""
    rule = cause.rule
    return {
        "code": cause.code,
        "severity": str(cause.severity),
        "title": rule.title,
        "subject": cause.subject,
        "detail": cause.detail,
        "evidence": cause.evidence,
        "pages": cause.pages,
        "snapshots": cause.snapshots,
        "response_classes": [str(kind) for kind in cause.classes],
        "sample_urls": list(cause.sample_urls),
        "browser": rule.browser,
        "why": rule.why,
        "fix": rule.fix,
        "link": rule.link,
        "opinion": rule.opinion,
        "waived_by": cause.waived_by or None,
    }


def details(report: RunReport) -> str:
    """What ``show`` prints: the run, and everything it is made of."""
    return document(
        **run_object(report.run, report.review),
        actions=[_action(item) for item in report.actions],
        waiting=[
            {"kind": item.kind, "until": _instant(item.until), "said": item.said} for item in report.waiting
        ],
        probes=[
            {
                "kind": item.kind,
                "state": str(item.state),
                "reason": item.reason or None,
                "probes": item.probes,
            }
            for item in report.probes
        ],
        visits_dropped=report.visits_dropped,
        progress={"found": report.found, "done": report.done},
        answers=[
            {"outcome": item.outcome.label, "status": item.status, "pages": item.pages}
            for item in report.answers
        ],
        header_sets=[_header_set(item) for item in report.sets],
        not_stored=[_trouble(item) for item in report.troubles],
        masked=[
            {"header": item.name, "distinct_values": item.distinct, "responses": item.responses}
            for item in report.masks
        ],
        sitemaps=[
            {"url": item.url, "entries": item.entries, "error": item.error, "done": item.is_done}
            for item in report.sitemaps
        ],
    )


def _action(item: Action) -> dict[str, Any]:
    return {
        "action": str(item.action),
        "asked_by": item.asked_by,
        "reason": item.reason,
        "at": _instant(item.at),
        "generation": item.generation,
        "made_run": item.made_run,
    }


def _header_set(item: HeaderSet) -> dict[str, Any]:
    return {
        "content_hash": words.hexed(item.content_hash),
        "pages": item.pages,
        "statuses": list(item.statuses),
        "new": item.is_new,
        "headers": [list(pair) for pair in item.pairs],
        "malformed": list(item.malformed),
        "sample_urls": list(item.samples),
    }


def _trouble(item: Trouble) -> dict[str, Any]:
    return {
        "outcome": item.outcome.label,
        "reason": item.reason,
        "pages": item.pages,
        "samples": [{"url": url, "error": error} for url, error in item.samples],
    }


def evidence(content_hash: bytes | None, pairs: Iterable[tuple[str, str]], malformed: Iterable[str]) -> str:
    """The part of an export line that is the same for every page with one snapshot; rendered once for each."""
    part = {
        "content_hash": words.hexed(content_hash),
        "headers": [list(pair) for pair in pairs],
        "malformed": list(malformed),
    }
    return json.dumps(part, ensure_ascii=False)[1:-1]


def export_line(visit: Mapping[str, Any], rendered: str) -> str:
    """One visit as one line; ``rendered`` is the evidence of its snapshot."""
    head = {
        "url": visit["url"],
        "outcome": Outcome(visit["outcome"]).label,
        "status": visit["status"],
    }
    tail = {
        "fetched_at": _instant(visit["fetched_at"]),
        "elapsed_ms": visit["elapsed_ms"],
        "error": visit["error"],
    }
    return f"{json.dumps(head, ensure_ascii=False)[:-1]}, {rendered}, {json.dumps(tail, ensure_ascii=False)[1:]}\n"


def _instant(moment: datetime | None) -> str | None:
    return words.instant(moment)
