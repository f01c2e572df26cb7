"""Probes of runs: planted when a run is closed, or when somebody asks for more, and what came of them.

They never touch the run itself: neither its digest nor its accounting. Planting twice plants once.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from headersweep import headers, logs, urls
from headersweep.definition import SiteDefinition
from headersweep.probes import MAX_KEY, PlannedProbe, ProbeKind, ProbeRequest, ProbeState
from headersweep.states import RunState
from models import probes
from review import received as reading
from review.probes import answered, cors, error_page, exposed_files, reporting_endpoints, upload_limit
from review.probes.answered import Answered
from scheduler import cacheprobes, owners, seeding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import Connection, Row

    from review.finding import Found
    from review.received import Received

log = logs.get_logger()

MAX_CANDIDATES = 500
"""So many pages are looked at for those to ask: hostile sites have header sets without end."""


# --- planting ----------------------------------------------------------------------------------------------------


def plant(connection: Connection, run: Row[Any], state: RunState) -> int:
    """Plant what the site asks for beyond its pages, in the transaction that closes the run; returns how many are new.

    Without any kind switched on, not even a question is asked of the database.
    """
    kinds = SiteDefinition.from_json(run.definition).probes.kinds
    if not kinds or state is RunState.CANCELLED:
        return 0
    rows = connection.execute(probes.candidates(), {"run_id": run.id, "limit": MAX_CANDIDATES}).all()
    planned = [one for kind in kinds for one in _planned(run, rows, kind)]
    return add(connection, run.id, run.site_id, planned)


def add(
    connection: Connection, run_id: int, site_id: int, planned: Sequence[PlannedProbe], requested_by: str = ""
) -> int:
    """Add probes to a run; those that it has stay as they are. ``requested_by``: a person, whatever the site's file says."""
    pages = [(one, urls.parse(one.request.url)) for one in planned]
    known = [(one, page) for one, page in pages if page is not None]
    origins = [(page.scheme, page.host, page.port) for _, page in known]
    if not known:
        return 0
    ids = seeding.ensure_origins(connection, origins)
    values = {
        "run_id": run_id,
        "site_id": site_id,
        "requested_by": requested_by,
        "origin_ids": [ids[origin] for origin in origins],
        "kinds": [str(one.kind) for one, _ in known],
        "keys": [one.key for one, _ in known],
        "steps": [one.step for one, _ in known],
        "gaps": [one.gap for one, _ in known],
        "requests": [json.dumps(one.as_json()) for one, _ in known],
    }
    new = len(connection.execute(probes.plant(), values).all())
    if new:
        log.info("probes.planted", run_id=run_id, probes=new)
    return new


def _planned(run: Row[Any], rows: Sequence[Row[Any]], kind: ProbeKind) -> list[PlannedProbe]:
    """The probes of one kind; a defect in choosing them is told, and keeps no run from being closed."""
    try:
        return list(PLANTERS[kind](run, rows))
    except Exception as error:
        log.error(  # noqa: TRY400 - the traceback is given
            "probes.unplanted",
            run_id=run.id,
            probe_kind=str(kind),
            error_type=type(error).__name__,
            exc_info=error,
        )
        return []


def _plan_cors(run: Row[Any], rows: Sequence[Row[Any]]) -> Iterable[PlannedProbe]:
    foreign = cors.foreign_host(run.id)
    for one in cors.choose(_candidates(run, rows)):
        page = urls.parse(one.url)
        if page is None or len(one.url) > MAX_KEY:
            continue
        context = {"says_null": True} if cors.says_null(one.answer) else {}
        for step, origin in cors.origins_to_send(page.host, foreign).items():
            request = ProbeRequest(one.url, headers=(*cors.FRESH, ("Origin", origin)))
            yield PlannedProbe(ProbeKind.CORS, one.url, step, request, context=context)


def _candidates(run: Row[Any], rows: Iterable[Row[Any]]) -> Iterable[cors.Candidate]:
    starts = {page.url for page in map(urls.parse, run.definition["start_urls"]) if page is not None}
    for row in rows:
        answer = _answer(bytes(row.raw), row.status, row.scheme)
        yield cors.Candidate(_origin(row.url), row.url, answer, row.pages, row.url in starts)


def _plan_exposed_files(run: Row[Any], _rows: Sequence[Row[Any]]) -> Iterable[PlannedProbe]:
    for origin in _start_origins(run)[: exposed_files.MAX_ORIGINS]:
        for path in exposed_files.PATHS:
            request = ProbeRequest(f"{origin}{path}")
            yield PlannedProbe(ProbeKind.EXPOSED_FILES, request.url, 1, request, context={"path": path})


def _plan_upload_limit(run: Row[Any], _rows: Sequence[Row[Any]]) -> Iterable[PlannedProbe]:
    for page in _start_pages(run)[: upload_limit.MAX_ORIGINS]:
        request = ProbeRequest(page, "POST", length=upload_limit.ANNOUNCED_BYTES)
        yield PlannedProbe(ProbeKind.UPLOAD_LIMIT, page, 1, request)


def _plan_reporting_endpoints(run: Row[Any], rows: Sequence[Row[Any]]) -> Iterable[PlannedProbe]:
    named: dict[str, str] = {}
    for one in _candidates(run, rows):
        for url in reporting_endpoints.named(one.answer, one.url):
            page = urls.parse(url)
            if page is not None and len(page.url) <= MAX_KEY:
                named.setdefault(page.url, one.url)
    for url, by in list(named.items())[: reporting_endpoints.MAX_ENDPOINTS]:
        asked = (("Origin", _origin(by)), ("Access-Control-Request-Method", "POST"))
        request = ProbeRequest(
            url, "OPTIONS", headers=(*asked, ("Access-Control-Request-Headers", "content-type"))
        )
        yield PlannedProbe(ProbeKind.REPORTING_ENDPOINTS, url, 1, request, context={"named_by": by})


def _plan_error_page(run: Row[Any], _rows: Sequence[Row[Any]]) -> Iterable[PlannedProbe]:
    for origin in _start_origins(run)[: error_page.MAX_ORIGINS]:
        request = ProbeRequest(f"{origin}{answered.unlikely_path(run.id, ProbeKind.ERROR_PAGE)}")
        yield PlannedProbe(ProbeKind.ERROR_PAGE, request.url, 1, request)


def _start_pages(run: Row[Any]) -> list[str]:
    """The first start page of each origin."""
    pages = [page.url for page in map(urls.parse, run.definition["start_urls"]) if page is not None]
    return list({_origin(url): url for url in reversed(pages)}.values())[::-1]


def _start_origins(run: Row[Any]) -> list[str]:
    return [_origin(url) for url in _start_pages(run)]


PLANTERS: dict[ProbeKind, Callable[[Row[Any], Sequence[Row[Any]]], Iterable[PlannedProbe]]] = {
    ProbeKind.CORS: _plan_cors,
    ProbeKind.EXPOSED_FILES: _plan_exposed_files,
    ProbeKind.UPLOAD_LIMIT: _plan_upload_limit,
    ProbeKind.REPORTING_ENDPOINTS: _plan_reporting_endpoints,
    ProbeKind.ERROR_PAGE: _plan_error_page,
    ProbeKind.CACHE: lambda run, _rows: cacheprobes.plan(
        SiteDefinition.from_json(run.definition), str(run.id)
    ),
}
"""What each kind asks for, from the run's row and its header sets (the most common first, each with up to three pages)."""


# --- what came of them -------------------------------------------------------------------------------------------


def found(connection: Connection, run_id: int) -> tuple[Found, ...]:
    """What is to be said of what the probes of a run were answered so far."""
    by_kind: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(probes.of_run(), {"run_id": run_id}):
        by_kind[row.kind].append(row)
    return tuple(one for kind, judge in JUDGES.items() for one in judge(by_kind.get(kind, [])))


def rows(connection: Connection, run_id: int, kind: ProbeKind) -> list[Row[Any]]:
    """The probes of one kind of a run, in order."""
    return [row for row in connection.execute(probes.of_run(), {"run_id": run_id}) if row.kind == kind]


def judged(rows_of_kind: Sequence[Row[Any]], kind: ProbeKind) -> tuple[Found, ...]:
    """What is to be said of probes of one kind."""
    return JUDGES[kind](rows_of_kind)


def _judge_cors(rows: Sequence[Row[Any]]) -> tuple[Found, ...]:
    answers: dict[str, dict[cors.Step, tuple[str, Received]]] = defaultdict(dict)
    said: set[str] = set()
    for row in rows:
        if row.state != ProbeState.ANSWERED or row.step not in set(cors.Step):
            continue
        scheme = row.key.partition(":")[0]
        sent = dict(ProbeRequest.from_json(row.request).headers)["Origin"]
        answers[row.key][cors.Step(row.step)] = sent, _answer(bytes(row.raw), row.status, scheme)
        if row.request.get("context", {}).get("says_null"):
            said.add(row.key)
    return cors.judge(
        cors.Asked(_origin(url), url, steps, says_null=url in said) for url, steps in answers.items()
    )


def _of_answers(
    judge: Callable[[Iterable[Answered]], tuple[Found, ...]],
) -> Callable[[Sequence[Row[Any]]], tuple[Found, ...]]:
    """A judge of rows from one of answers, each by itself."""
    return lambda rows: judge(_answered(row) for row in rows if row.state == ProbeState.ANSWERED)


def _answered(row: Row[Any]) -> Answered:
    request = ProbeRequest.from_json(row.request)
    scheme = request.url.partition(":")[0]
    return Answered(
        origin=_origin(request.url),
        url=request.url,
        answer=_answer(bytes(row.raw), row.status, scheme),
        evidence=row.evidence or {},
        context=row.request.get("context", {}),
    )


JUDGES: dict[ProbeKind, Callable[[Sequence[Row[Any]]], tuple[Found, ...]]] = {
    ProbeKind.CORS: _judge_cors,
    ProbeKind.EXPOSED_FILES: _of_answers(exposed_files.judge),
    ProbeKind.UPLOAD_LIMIT: _of_answers(upload_limit.judge),
    ProbeKind.REPORTING_ENDPOINTS: _of_answers(reporting_endpoints.judge),
    ProbeKind.ERROR_PAGE: _of_answers(error_page.judge),
    ProbeKind.CACHE: lambda rows: cacheprobes.judge(rows, _answer),
}


def _answer(raw: bytes, status: int, scheme: str) -> Received:
    parsed = headers.parse_block(raw)
    return reading.received(parsed.pairs, status=status, scheme=scheme, malformed=parsed.malformed)


def _origin(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0].partition('?')[0]}"


# --- rescue ------------------------------------------------------------------------------------------------------


def rescue(connection: Connection) -> int:
    """Take back probes of processes that are gone, end those that nobody will make; returns how many were taken back."""
    holders = connection.execute(probes.leased_owners()).scalars().all()
    dead = [owner for owner in holders if owners.dead_here(owner)]
    freed = connection.execute(probes.free(), {"owners": dead}).all() if holders else []
    for row in freed:
        log.info("probe.rescued", run_id=row.run_id, probe_kind=row.kind)
    for row in connection.execute(probes.give_up()).all():
        log.info("probe.failed", run_id=row.run_id, probe_kind=row.kind, reason=row.error)
    return len(freed)
