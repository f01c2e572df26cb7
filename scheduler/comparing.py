"""Read back two runs of a site for a comparison: from what was kept when they closed, so also past retention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headersweep import headers, urls
from headersweep.definition import SiteDefinition
from headersweep.responses import REDIRECTS
from models import comparisons, reports
from review.comparing import Latency, Share, Side, coverage
from review.policy import applying
from scheduler import policies, reviewed
from scheduler.reviewed import Answered

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


def last_by(connection: Connection, site_id: int, at: datetime) -> int | None:
    """The last run of a site that had come to its end by then."""
    found: int | None = connection.scalar(comparisons.last_by(), {"site_id": site_id, "at": at})
    return found


def side(connection: Connection, run_id: int) -> Side | None:
    """One closed run, without its grade; None where neither its header sets nor its visits nor its spans are there.

    Path scopes of the policy are told apart by the sample pages of a set: no page is read.
    """
    row = connection.execute(reports.run_summary(run_id)).one()
    sets = policies.header_sets(connection, run_id)
    if row.stored and not sets:
        return None
    definition = SiteDefinition.from_json(row.definition)
    others = policies.others(connection, run_id)
    covered, caching = coverage(sets)
    latency, from_cache = timing(connection, run_id)
    return Side(
        run_id=run_id,
        slot=row.slot,
        state=row.state,
        finished_at=row.finished_at,
        pages=sum(one.pages for one in sets if one.judgement.judged),
        not_judged=sum(one.pages for one in sets if not one.judgement.judged),
        coverage=covered,
        caching=caching,
        causes=applying.apply(definition.policy, sets, policies.today(connection), None, others),
        policy=definition.policy,
        owner=definition.owner or "",
        latency=latency,
        from_cache=from_cache,
    )


def timing(connection: Connection, run_id: int) -> tuple[Latency | None, Share | None]:
    """How long the answers of a run took, and how many came from a cache; None past retention, or where nothing tells."""
    row = connection.execute(comparisons.latency(), {"run_id": run_id}).one()
    latency = Latency(row.answers, *row.ms) if row.answers else None
    return latency, Share(row.from_cache, row.answers) if row.aged else None


def start_answers(connection: Connection, run_id: int) -> tuple[Answered, ...]:
    """What the site's first start page answered in a run, after its redirects; nothing where nobody knows any more.

    Past retention a start page that answered by itself is known from its span; where a redirect led is not.
    """
    row = connection.execute(reports.run_summary(run_id)).one()
    starts = [page for page in map(urls.parse, row.definition.get("start_urls") or ()) if page is not None]
    if not starts:
        return ()
    kept = reviewed.answers_from(connection, run_id, row.site_id, starts[0].key)
    if kept:
        return kept
    values = {"run_id": run_id, "site_id": row.site_id, "url_key": starts[0].key}
    return tuple(
        Answered(found.url, found.status, headers.parse_block(bytes(found.raw)).pairs)
        for found in connection.execute(comparisons.start_from_spans(), values)
        if found.status not in REDIRECTS
    )
