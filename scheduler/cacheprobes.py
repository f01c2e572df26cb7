"""The probes of a site's cache rules: planted with a run, judged by what the caches before the site answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from headersweep.cacherules import CacheKind
from headersweep.definition import SiteDefinition
from headersweep.probes import MAX_KEY, PlannedProbe, ProbeKind, ProbeRequest, ProbeState
from review.cacherules import probing
from review.cacherules.probing import Answer, Trial
from review.redirects import Found

if TYPE_CHECKING:
    from sqlalchemy import Row

    from review.received import Received

Reading = Callable[[bytes, int, str], "Received"]
"""From a header block, a status and a scheme to what is judged."""


def plan(run: Row[Any]) -> Iterator[PlannedProbe]:
    """What the rules that a run carries ask for."""
    definition = SiteDefinition.from_json(run.definition)
    for trial in probing.plan(definition, str(run.id)):
        if len(trial.key) <= MAX_KEY:
            yield from _planned(trial, definition.cache_kind)


def _planned(trial: Trial, kind: CacheKind) -> Iterator[PlannedProbe]:
    for number, step in enumerate(trial.steps, start=1):
        request = ProbeRequest(step.url, headers=step.headers)
        context = {**trial.context, "cache_kind": str(kind), "steps": len(trial.steps)} if number == 1 else {}
        yield PlannedProbe(ProbeKind.CACHE, trial.key, number, request, step.gap, context)


def judge(rows: Iterable[Row[Any]], read: Reading) -> tuple[Found, ...]:
    """What is to be said of those tries of a run that were answered whole."""
    by_key: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        by_key[row.key].append(row)
    return tuple(each for key, steps in by_key.items() for each in _judge(key, steps, read))


def _judge(key: str, rows: list[Row[Any]], read: Reading) -> Iterator[Found]:
    context = rows[0].request.get("context") or {}
    if context.get("steps") != len(rows):
        return
    trial = probing.from_context(key, context, len(rows))
    answers = [_answer(row, read) for row in rows]
    for finding in probing.judge(trial, answers, CacheKind(context["cache_kind"])):
        yield Found(finding, 1, trial.url)


def _answer(row: Row[Any], read: Reading) -> Answer | None:
    if row.state != ProbeState.ANSWERED:
        return None
    scheme = str(row.request["url"]).partition(":")[0]
    return Answer(read(bytes(row.raw), row.status, scheme), (row.evidence or {}).get("digest", ""))
