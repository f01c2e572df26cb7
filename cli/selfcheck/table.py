"""The checklist of a deployment, in the order in which it is shown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from cli.selfcheck import broker, database, files, running, sites
from cli.selfcheck.place import Check, Place
from headersweep import checklist
from headersweep.checklist import Area, Declaration, Line

OWNER = "whoever operates headersweep"

CHECKS: tuple[Check, ...] = tuple(
    sorted(
        (*files.CHECKS, *database.CHECKS, *broker.CHECKS, *sites.CHECKS, *running.CHECKS),
        key=lambda check: list(Area).index(check.item.area),
    )
)
ITEMS = {check.item.name: check.item for check in CHECKS}


def examine(place: Place, declarations: Iterable[Declaration], today: date) -> list[Line]:
    """Every line of the checklist, looked at now."""
    said = list(declarations)
    return [checklist.settle(check.item, check.look(place), OWNER, said, today) for check in CHECKS]
