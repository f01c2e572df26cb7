"""The checklist of a deployment, in the order in which it is shown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from cli.selfcheck import broker, database, files, running, sites
from cli.selfcheck.place import Check, Place
from headersweep import checklist
from headersweep.checklist import Area, Declaration, Line, Looked, unknown

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
    return [checklist.settle(check.item, looked(check, place), OWNER, said, today) for check in CHECKS]


def looked(check: Check, place: Place) -> Looked:
    """What an item shows. Trouble on the way to it, such as a file that vanished, leaves it unknown and the others be."""
    from redis.exceptions import RedisError
    from sqlalchemy.exc import DBAPIError

    try:
        return check.look(place)
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        return unknown(f"cannot look: {error.strerror or type(error).__name__}{where}")
    except DBAPIError as error:
        return unknown(f"cannot look: the database says: {str(error.orig).partition(chr(10))[0]}")
    except RedisError as error:
        return unknown(f"cannot look: the broker does not answer ({type(error).__name__})")
