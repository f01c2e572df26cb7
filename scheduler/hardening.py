"""Reading what the checklist of a site is made of: the causes of a run, its probes, its URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headersweep import urlsecrets
from headersweep.definition import SiteDefinition
from headersweep.probes import ProbeState
from models import hardening as rows
from models import probes, reports
from review.hardening import Probed, Seen
from review.policy import applying
from review.probes import reporting_endpoints

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from review.report import Report

MAX_URLS = 20


def seen(connection: Connection, report: Report, definition: SiteDefinition) -> Seen:
    """What a run shows of a site; without its visits, what its URLs and certificates were is not known."""
    values = {"run_id": report.run_id}
    connection.execute(reports.unhurried())
    urls = connection.execute(rows.secret_urls(), {**values, "limit": MAX_URLS}).scalars().all()
    tls = connection.execute(rows.unverified(), values).one()
    endpoints = {
        url
        for one in report.sets
        for url in reporting_endpoints.named(
            applying.received_of(one), (one.sample_urls or ("https:///",))[0]
        )
    }
    return Seen(
        run_id=report.run_id,
        owner=report.owner or "nobody said",
        pages=report.pages,
        causes=report.causes,
        probed=_probed(connection, report.run_id, definition),
        secret_urls=tuple(map(urlsecrets.masked, urls)),
        unverified=tls.unverified,
        refused=tls.refused,
        visits_kept=bool(tls.visits) or not report.pages,
        endpoints=len(endpoints),
    )


def _probed(connection: Connection, run_id: int, definition: SiteDefinition) -> dict[str, Probed]:
    """How the probes stand that the run's definition asked for; of a kind that found nothing to ask there are none."""
    counted = {str(kind): dict.fromkeys(ProbeState, 0) for kind in definition.probes.kinds}
    for row in connection.execute(probes.counts(), {"run_ids": [run_id]}):
        if row.kind in counted:
            counted[row.kind][ProbeState(row.state)] += row.probes
    return {
        kind: Probed(by[ProbeState.ANSWERED], by[ProbeState.WAITING], by[ProbeState.FAILED])
        for kind, by in counted.items()
    }
