"""What the items look at: the deployment as this command finds it, and what it may ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import make_url

from headersweep.checklist import Item, Looked
from headersweep.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Executable, Row

NETWORK_OF_CONTAINERS = "over a network of containers that may or may not end on its machine"
"""What nobody can tell from inside of one."""

CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))


@dataclass(frozen=True)
class Place:
    """One deployment: settings as given, with both URLs filled in, and ways to its servers."""

    settings: Settings
    environ: Mapping[str, str]
    engine: Engine
    embedded: bool
    processes: Path = Path("/proc")
    container_marks: tuple[Path, ...] = CONTAINER_MARKS

    @property
    def in_container(self) -> bool:
        """Whether this command runs in a container, as Docker, Podman and Kubernetes mark theirs."""
        return (
            any(mark.exists() for mark in self.container_marks) or "KUBERNETES_SERVICE_HOST" in self.environ
        )

    def connect(self) -> Connection:
        """A connection to look through."""
        return self.engine.connect()

    def row(self, statement: Executable) -> Row[Any]:
        """The one row of a statement."""
        with self.connect() as connection:
            return connection.execute(statement).one()

    def rows(self, statement: Executable) -> list[Row[Any]]:
        """All rows of a statement."""
        with self.connect() as connection:
            return list(connection.execute(statement).all())

    @property
    def passwords(self) -> dict[str, str]:
        """The passwords of this deployment by what they open; in memory alone."""
        found = {
            "the database": make_url(self.settings.database_url).password or "",
            "the broker": make_url(self.settings.broker_url).password or "",
        }
        return {name: str(value) for name, value in found.items() if value}


Look = Callable[[Place], Looked]


@dataclass(frozen=True)
class Check:
    """One item, and how to look."""

    item: Item
    look: Look
