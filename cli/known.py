"""What the database knows, by the names that people type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection


def site(connection: Connection, name: str) -> Any:
    """The row of the site of that name; a UsageError names those that are close."""
    from cli import context, targets
    from models import sites

    row = connection.execute(sites.get_site(name)).one_or_none()
    if row is None:
        known = [each.name for each in connection.execute(sites.list_sites())]
        raise targets.unknown_site(name, known, context.settings().sites)
    return row
