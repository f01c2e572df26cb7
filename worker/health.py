"""Is a worker or a beat alive? Reads its heartbeat, cheaply, for health checks: ``python -m worker.health``."""

from __future__ import annotations

import argparse
import os
import sys

from headersweep import settings as configuration
from models import control
from models import engine as engines


def newest_age(database_url: str, kind: str) -> float | None:
    """Seconds since the last heartbeat of a kind; None when there was none."""
    engine = engines.connect(database_url, pool_size=1, application="headersweep health")
    with engine.connect() as connection:
        rows = connection.execute(control.list_heartbeats()).all()
    return min((row.age_seconds for row in rows if row.kind == kind), default=None)


def main() -> int:
    """Exit code 0 when the newest heartbeat is young enough, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=("worker", "beat"), default="worker")
    parser.add_argument("--max-age", type=float, default=60.0, help="seconds")
    arguments = parser.parse_args()
    age = newest_age(configuration.from_mapping(os.environ).database_url, arguments.kind)
    return 0 if age is not None and age <= arguments.max_age else 1


if __name__ == "__main__":
    sys.exit(main())
