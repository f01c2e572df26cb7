"""The whole schema: importing this module registers every table with the metadata."""

from __future__ import annotations

from models import control, frontier, origins, outbox, runs, shards, sites, snapshots, spans, visits
from models.metadata import metadata

__all__ = [
    "control",
    "frontier",
    "metadata",
    "origins",
    "outbox",
    "runs",
    "shards",
    "sites",
    "snapshots",
    "spans",
    "visits",
]
