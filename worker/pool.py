"""Idle connections, kept for the next request to the same origin under the same policy."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from worker.connection import Connection, PoolKey


@dataclass
class Pool:
    """Idle connections by key: constant work for each of put, take and drop, whatever their number."""

    max_idle: int
    max_per_origin: int
    _by_key: dict[PoolKey, OrderedDict[Connection, None]] = field(default_factory=dict)
    _by_age: OrderedDict[Connection, None] = field(default_factory=OrderedDict)

    def take(self, key: PoolKey) -> Connection | None:
        """The connection of this key that was used last."""
        while (idle := self._by_key.get(key)) is not None:
            connection = next(reversed(idle))
            self.drop(connection)
            if connection.usable:
                return connection
            connection.abort()
        return None

    def put(self, connection: Connection) -> None:
        """Keep a connection; the oldest one goes when there are too many."""
        idle = self._by_key.setdefault(connection.key, OrderedDict())
        idle[connection] = None
        self._by_age[connection] = None
        if len(idle) > self.max_per_origin:
            self._close(next(iter(idle)))
        elif len(self._by_age) > self.max_idle:
            self._close(next(iter(self._by_age)))

    def drop(self, connection: Connection) -> None:
        """Forget a connection; nothing happens when it is not kept."""
        if connection not in self._by_age:
            return
        del self._by_age[connection]
        idle = self._by_key[connection.key]
        del idle[connection]
        if not idle:
            del self._by_key[connection.key]

    def close(self) -> None:
        """Close all that are idle."""
        for connection in list(self._by_age):
            self._close(connection)

    def __len__(self) -> int:
        return len(self._by_age)

    def _close(self, connection: Connection) -> None:
        self.drop(connection)
        connection.abort()
