"""Reading what the checklist of a site is made of: the causes of a run, its probes, its URLs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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
_VALUE = re.compile(rf"(?i)([?&;/](?:{rows.SECRET_NAMES})=)[^&;#/]+")


def seen(connection: Connection, report: Report, definition: SiteDefinition) -> Seen:
    """What a run shows of a site; with its visits behind retention, what its URLs and certificates were is not known."""
    values = {"run_id": report.run_id}
    connection.execute(reports.unhurried())
    urls = connection.execute(rows.secret_urls(), {**values, "limit": MAX_URLS}).scalars().all()
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
        secret_urls=tuple(_VALUE.sub(r"\1<masked>", url) for url in urls),
        unverified=int(connection.execute(rows.unverified(), values).scalar_one()),
        endpoints=len(endpoints),
    )


def _probed(connection: Connection, run_id: int, definition: SiteDefinition) -> dict[str, Probed]:
    """How the probes stand that the run's definition asked for; of a kind that found nothing to ask, none was needed."""
    counted = {str(kind): dict.fromkeys(ProbeState, 0) for kind in definition.probes.kinds}
    for row in connection.execute(probes.counts(), {"run_ids": [run_id]}):
        if row.kind in counted:
            counted[row.kind][ProbeState(row.state)] += row.probes
    return {
        kind: Probed(by[ProbeState.ANSWERED], by[ProbeState.WAITING], by[ProbeState.FAILED])
        for kind, by in counted.items()
    }
