"""The probes of a site's cache rules: planted with a run, judged by what the caches before the site answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from headersweep.cacherules import CacheKind
from headersweep.definition import SiteDefinition
from headersweep.probes import MAX_KEY, PlannedProbe, ProbeKind, ProbeRequest, ProbeState
from review.cacherules import probing
from review.cacherules.probing import Answer, Trial
from review.finding import Found

if TYPE_CHECKING:
    from sqlalchemy import Row

    from review.received import Received

Reading = Callable[[bytes, int, str], "Received"]
"""From a header block, a status and a scheme to what is judged."""


AGAIN = " @"
"""What stands in a key before the instant at which a person asked for the tries once more."""


def plan(definition: SiteDefinition, token: str, again: str = "") -> Iterator[PlannedProbe]:
    """What the rules of a site ask for; ``again``: the instant at which somebody wants it all asked once more."""
    for trial in probing.plan(definition, token):
        named = replace(trial, key=f"{trial.key}{AGAIN}{again}") if again else trial
        if len(named.key) <= MAX_KEY:
            yield from _planned(named, definition.cache_kind)


def _planned(trial: Trial, kind: CacheKind) -> Iterator[PlannedProbe]:
    for number, step in enumerate(trial.steps, start=1):
        request = ProbeRequest(step.url, headers=step.headers)
        context = {**trial.context, "cache_kind": str(kind), "steps": len(trial.steps)} if number == 1 else {}
        yield PlannedProbe(ProbeKind.CACHE, trial.key, number, request, step.gap, context)


def judge(rows: Iterable[Row[Any]], read: Reading) -> tuple[Found, ...]:
    """What is to be said of those tries of a run that were answered whole; of one asked again, by the last time."""
    by_key: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        by_key[row.key].append(row)
    newest = {key.partition(AGAIN)[0]: key for key in sorted(by_key)}
    return tuple(each for key in newest.values() for each in _judge(key, by_key[key], read))


def _judge(key: str, rows: list[Row[Any]], read: Reading) -> Iterator[Found]:
    context = rows[0].request.get("context") or {}
    if context.get("steps") != len(rows):
        return
    trial = probing.from_context(key, context, len(rows))
    answers = [_answer(row, read) for row in rows]
    for finding in probing.judge(trial, answers, CacheKind(context["cache_kind"])):
        yield Found(finding, 1, (trial.url,))


def _answer(row: Row[Any], read: Reading) -> Answer | None:
    if row.state != ProbeState.ANSWERED:
        return None
    scheme = str(row.request["url"]).partition(":")[0]
    return Answer(read(bytes(row.raw), row.status, scheme), (row.evidence or {}).get("digest", ""))
