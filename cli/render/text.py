"""Summaries that a person understands. Foreign text is escaped, so that no server writes on the terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from cli.render import course, findings, words
from cli.report import Answers, HeaderSet, Mask, Pairs, Run, RunReport, Sitemap, Trouble
from headersweep.states import Outcome, RunState

TOP_SETS = 10
"""How many header sets a summary shows; ``show`` has them all."""

SHORT_HASH = 12

VARYING = frozenset(
    {
        "accept-ranges",
        "age",
        "connection",
        "content-length",
        "date",
        "etag",
        "expires",
        "keep-alive",
        "last-modified",
        "transfer-encoding",
    }
)
"""Headers that say nothing about a site's rules, or differ on every response: named in one line, without values."""

OUTCOMES = {
    Outcome.STORED: "stored",
    Outcome.ROBOTS_DENIED: "denied by robots.txt",
    Outcome.ROBOTS_UNREACHABLE: "left out, since robots.txt could not be fetched",
    Outcome.OUT_OF_SCOPE: "outside the site",
    Outcome.TRAPPED: "not followed: looks endless",
    Outcome.FAILED: "failed",
    Outcome.SKIPPED_LIMIT: "skipped by a limit",
}

REASONS = {
    "dns": "the host name does not resolve",
    "refused": "the server refused the connection",
    "unreachable": "no way to the server's network",
    "connect_timeout": "no connection within the time limit",
    "timeout": "no complete answer within the time limit",
    "reset": "the server closed the connection in the middle",
    "tls": "the certificate or the TLS handshake is wrong",
    "protocol": "the answer was no HTTP",
    "headers_too_large": "more than 128 KiB of headers",
    "address_denied": "the address is not public; allow it with --allow-private, or allow_addresses in the site file",
    "origin_down": "given up after too many failures of this server",
    "quarantined": "this page ended the worker three times",
    "url_too_long": "the URL is too long",
    "too_many_segments": "too many path segments",
    "repeated_segments": "a path segment repeats itself",
    "far_date": "a date far from today",
    "template_limit": "too many pages of one pattern",
}

PLACEHOLDER = re.compile("<(?!path)[a-z-]+>")
"""A canonical value that is a placeholder as a whole, such as ``<request-id>``; where a redirect leads tells something."""

LASTING = frozenset({"address_denied"})
"""Reasons that would be the same the next time: only another definition of the site changes them."""

STATES = {
    RunState.PLANNED: "planned, not started yet",
    RunState.RUNNING: "running",
    RunState.FINISHED: "finished",
    RunState.PARTIAL: "partial: more pages failed, or were cut off by a limit, than the site allows",
    RunState.FAILED: "failed: no start URL could be fetched",
    RunState.CANCELLED: "cancelled",
}


def summary(report: RunReport, width: int, *, full: bool = False) -> str:
    """One run for a person: what was found, which header sets, what failed and why, how to see more."""
    blocks = [
        _heading(report),
        _counts(report),
        course.actions(report.actions),
        _dropped(report),
        _findings(report, width, full=full),
        _header_sets(report, width, full=full),
        _not_stored(report.troubles, width),
        _masked(report.masks),
        _sitemaps(report.sitemaps, width, full=full),
        _more(report, full=full),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _heading(report: RunReport) -> list[str]:
    run = report.run
    lines = [
        f"{words.safe(run.site)}: {STATES[run.state]}",
        f"run {run.run_id}, slot {words.instant(run.slot)}",
    ]
    if run.duration_ms is not None:
        speed = words.rate((run.pages or 0) * 1000 / max(run.duration_ms, 1))
        lines[1] += f", took {words.duration(run.duration_ms)} ({speed})"
    if run.digest is not None:
        lines.append(f"digest {words.hexed(run.digest)}")
    if run.requested_by:
        lines.append(course.origin(run))
    return lines


def _counts(report: RunReport) -> list[str]:
    run, lines = report.run, []
    if run.is_final:
        lines.append(f"Pages      {_accounting(run)}")
    else:
        lines.append(f"Pages      {report.done:,} of {report.found:,} found so far are done")
        lines += course.waiting(report.waiting)
    statuses = _statuses(report.answers)
    if statuses:
        lines.append(f"Answers    {statuses}")
    if run.snapshots is not None:
        lines.append(
            f"Headers    {words.count(run.snapshots, 'different set')}, {run.new_snapshots or 0:,} new; "
            f"{words.count(run.changed_pages or 0, 'page')} changed since the last run"
        )
    return lines + course.probes(report.probes)


def _dropped(report: RunReport) -> list[str]:
    if not report.visits_dropped:
        return []
    age = f"older than {report.retention_days} days " if report.retention_days else "past retention "
    return [
        f"Visits {age}were dropped (HEADERSWEEP_RETENTION_DAYS): which page answered how is no longer known here.",
        "The header sets below, with their pages, were kept."
        if any(item.pages is not None for item in report.sets)
        else "The header sets below are those that the site sent around this run.",
    ]


def _findings(report: RunReport, width: int, *, full: bool) -> list[str]:
    if report.review is None:
        return ["Findings   not known: its visits were dropped unjudged"] if report.visits_dropped else []
    return (findings.full if full else findings.summary)(report.review, width)


def _accounting(run: Run) -> str:
    accounting = run.accounting or {}
    parts = [
        f"{accounting[outcome.label]:,} {OUTCOMES[outcome]}"
        for outcome in Outcome
        if accounting.get(outcome.label) or outcome is Outcome.STORED
    ]
    if accounting.get("unvisited"):
        parts.append(f"{accounting['unvisited']:,} not visited")
    return f"{accounting.get('discovered', 0):,} found: {', '.join(parts)}"


def _statuses(answers: Iterable[Answers]) -> str:
    return "   ".join(f"{item.status}: {item.pages:,}" for item in answers if item.status is not None)


def _header_sets(report: RunReport, width: int, *, full: bool) -> list[str]:
    if not report.sets:
        return []
    masked = frozenset(mask.name for mask in report.masks)
    shown = report.sets if full else report.sets[:TOP_SETS]
    show_new = any(item.is_new for item in report.sets) and not all(item.is_new for item in report.sets)
    lines = ["Response headers"]
    for place, item in enumerate(shown, start=1):
        lines += [
            "",
            _set_head(place, item, show_new=show_new),
            *_set_body(place, item, report.sets[0], masked, width),
        ]
        lines += [f"      {words.cut(words.safe(url), width - 6)}" for url in item.samples]
    hidden = report.sets[len(shown) :]
    if hidden:
        pages = sum(item.pages or 0 for item in hidden)
        where = f" on {words.count(pages, 'page')}" if pages else ""
        lines += ["", f"  and {words.count(len(hidden), 'more set')}{where}"]
    return lines


def _set_head(place: int, item: HeaderSet, *, show_new: bool) -> str:
    statuses = ", ".join(str(status) for status in item.statuses)
    known = [] if item.pages is None else [words.count(item.pages, "page"), f"status {statuses}"]
    said = ", ".join([*known, *(["new"] if item.is_new and show_new else [])])
    return f"  #{place}  {said}{'  ' if said else ''}[{item.content_hash.hex()[:SHORT_HASH]}]"


def _set_body(
    place: int, item: HeaderSet, first: HeaderSet, masked: frozenset[str], width: int
) -> Iterator[str]:
    changes = [] if place == 1 else list(differences(first.lines, item.lines, VARYING | masked))
    if place == 1 or len(changes) >= len(_telling(item.pairs, masked)):
        yield from _headers(item, masked, width)
        return
    yield "      as #1, but" if changes else "      as #1, but for headers that vary"
    for change in changes:
        yield f"        {words.cut(words.safe(change), width - 8)}"
    yield from _malformed(item, width)


def _headers(item: HeaderSet, masked: frozenset[str], width: int) -> Iterator[str]:
    varying_here = VARYING | masked | _placeholders(item)
    telling = tuple(pair for pair in item.pairs if pair[0].lower() not in varying_here)
    for name, value in telling:
        yield f"      {words.cut(words.safe(f'{name}: {value}'), width - 6)}"
    if not telling:
        yield "      (no header that tells anything)"
    varying = dict.fromkeys(name for name, _ in item.pairs if name.lower() in varying_here)
    if varying:
        yield f"      {words.cut(words.safe('also: ' + ', '.join(varying)), width - 6)}"
    yield from _malformed(item, width)


def _placeholders(item: HeaderSet) -> frozenset[str]:
    """The headers whose whole value is volatile by the table: ids and the like, where one answer's value tells nothing."""
    return frozenset(name for name, value in item.lines if PLACEHOLDER.fullmatch(value))


def _malformed(item: HeaderSet, width: int) -> Iterator[str]:
    for line in item.malformed:
        yield f"      {words.cut('malformed: ' + words.safe(line), width - 6)}"


def _telling(pairs: Pairs, masked: frozenset[str]) -> Pairs:
    return tuple((name, value) for name, value in pairs if name.lower() not in VARYING | masked)


def differences(first: Pairs, other: Pairs, ignored: frozenset[str]) -> Iterator[str]:
    """How one set of header lines differs from another: what it lacks, what it has besides, what reads otherwise."""
    before, after = _by_name(first, ignored), _by_name(other, ignored)
    missing = [name for name in before if name not in after]
    if missing:
        yield f"without {', '.join(missing)}"
    for name, values in after.items():
        if name not in before:
            yield f"with {name}: {'; '.join(values)}"
        elif values != before[name]:
            yield f"{name}: {'; '.join(values)} instead of {'; '.join(before[name])}"


def _by_name(pairs: Pairs, ignored: frozenset[str]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        if name.lower() not in ignored:
            grouped.setdefault(name.lower(), []).append(value)
    return grouped


def _not_stored(troubles: Sequence[Trouble], width: int) -> list[str]:
    lines: list[str] = ["Not stored"] if troubles else []
    worst_first = sorted(troubles, key=lambda item: (item.outcome is not Outcome.FAILED, -item.pages))
    for item in worst_first:
        said = REASONS.get(item.reason, words.safe(item.reason))
        what = f"{OUTCOMES[item.outcome]}: {said}" if said else OUTCOMES[item.outcome]
        lines.append(f"  {words.count(item.pages, 'page')} {what}")
        lines += [f"      {words.cut(_sample(item, url, error), width - 6)}" for url, error in item.samples]
    return lines


def _sample(item: Trouble, url: str, error: str) -> str:
    detail = error.removeprefix(item.reason).lstrip(": ") if item.outcome is Outcome.FAILED else ""
    return words.safe(f"{url}  ({detail})" if detail else url)


def _masked(masks: Sequence[Mask]) -> list[str]:
    if not masks:
        return []
    return [
        "Masked, since they differ on nearly every response",
        *(
            f"  {words.safe(item.name)}: {item.distinct:,} values in {item.responses:,} responses"
            for item in masks
        ),
    ]


def _sitemaps(sitemaps: Sequence[Sitemap], width: int, *, full: bool) -> list[str]:
    shown = [item for item in sitemaps if full or item.error]
    lines = ["Sitemaps"] if shown else []
    for item in shown:
        what = item.error or (words.count(item.entries, "entry").replace("entrys", "entries"))
        state = what if item.is_done or item.error else "not read yet"
        lines.append(f"  {words.cut(words.safe(f'{item.url}  {state}'), width - 2)}")
    return lines


def _more(report: RunReport, *, full: bool) -> list[str]:
    number = report.run.run_id
    lines = [] if full else [f"Everything:    headersweep show {number}"]
    if report.visits_dropped:
        return [*lines, f"Sweep again:   headersweep rerun {number}"]
    lines.append(f"Every page:    headersweep export {number} --format csv")
    if not report.run.is_final:
        lines.append(f"Go on with it: headersweep resume {number}")
    elif any(item.outcome is Outcome.FAILED and item.reason not in LASTING for item in report.troubles):
        lines.append(f"Failed again:  headersweep rerun {number} --failed")
    return lines


def run_table(runs: Sequence[Run]) -> str:
    """The list of runs."""
    if not runs:
        return "no runs yet: `headersweep sweep https://your.site/` makes the first one"
    heads = [
        "RUN",
        "SITE",
        "SLOT",
        "STATE",
        "PAGES",
        "FAILED",
        "SETS",
        "NEW",
        "CHANGED",
        "TOOK",
        "LAST ASKED BY",
    ]
    return "\n".join(
        words.table(heads, [_cells(run) for run in runs], right=frozenset({0, 4, 5, 6, 7, 8, 9}))
    )


def _cells(run: Run) -> list[str]:
    accounting = run.accounting or {}
    return [
        str(run.run_id),
        words.safe(run.site),
        words.instant(run.slot) or "",
        str(run.state),
        *(
            "-" if value is None else words.number(value)
            for value in (
                run.pages,
                accounting.get("failed"),
                run.snapshots,
                run.new_snapshots,
                run.changed_pages,
            )
        ),
        "-" if run.duration_ms is None else words.duration(run.duration_ms),
        course.last(run),
    ]
