"""The whole schema: importing this module registers every table with the metadata."""

from __future__ import annotations

from models import (
    actions,
    baselines,
    control,
    facts,
    frontier,
    origins,
    outbox,
    probes,
    redirects,
    reviews,
    runs,
    shards,
    sites,
    snapshots,
    spans,
    visits,
)
from models.metadata import metadata

PARTITIONED = (frontier.frontier.name, visits.visits.name)
"""Tables that are partitioned by run-id range; ``models.partitions`` makes the parts."""

__all__ = [
    "PARTITIONED",
    "actions",
    "baselines",
    "control",
    "facts",
    "frontier",
    "metadata",
    "origins",
    "outbox",
    "probes",
    "redirects",
    "reviews",
    "runs",
    "shards",
    "sites",
    "snapshots",
    "spans",
    "visits",
]
