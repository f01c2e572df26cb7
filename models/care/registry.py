"""Every statement of models/ by name: what ``db plans`` explains, and what tests/plans holds to its indexes."""

from __future__ import annotations

import inspect
from types import ModuleType

from models import (
    actions,
    baselines,
    comparisons,
    control,
    drift,
    facts,
    frontier,
    hardening,
    nonces,
    notes,
    origins,
    outbox,
    partitions,
    probes,
    redirects,
    reports,
    reviews,
    runs,
    selfcheck,
    shards,
    sites,
    snapshots,
    spans,
    visits,
)
from models.care import asking, closing, crawling
from models.care.statement import Named

MODULES: tuple[ModuleType, ...] = (
    actions,
    baselines,
    comparisons,
    control,
    drift,
    facts,
    frontier,
    hardening,
    nonces,
    notes,
    origins,
    outbox,
    partitions,
    probes,
    redirects,
    reports,
    reviews,
    runs,
    selfcheck,
    shards,
    sites,
    snapshots,
    spans,
    visits,
)
"""The modules whose statements are looked after; those of models/care read the catalogue, and have no plan to lose."""

WITHOUT_TABLES = frozenset(
    {
        *(
            f"reports.{name}"
            for name in ("clock", "today", "server_version", "revision", "revision_table", "unhurried")
        ),
        *(
            f"selfcheck.{name}"
            for name in ("role_rights", "public_grants", "reach", "durability", "archived")
        ),
    }
)
"""Statements that read no table of ours."""

RESULTS = ("TextClause", "Select", "Update", "Insert", "Delete")

STATEMENTS: dict[str, Named] = {
    each.name: each for each in (*crawling.STATEMENTS, *closing.STATEMENTS, *asking.STATEMENTS)
}


def functions() -> set[str]:
    """The names of all functions in these modules that return a statement."""
    return {
        f"{module.__name__.removeprefix('models.')}.{name}"
        for module in MODULES
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and str(function.__annotations__.get("return", "")).startswith(RESULTS)
    }
