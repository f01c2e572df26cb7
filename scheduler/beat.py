"""The beat schedule, as plain data: beat only ticks, and what is due is decided in Postgres."""

from __future__ import annotations

from typing import Any

PLAN = "sweep.plan"
RESCUE = "sweep.rescue"
HINT_LIFE_IN_TICKS = 2
"""A hint nobody took within two ticks is dropped: the next one says the same."""


def schedule(tick_seconds: float) -> dict[str, dict[str, Any]]:
    """What Celery's beat sends, and how often; tasks are known by their names alone."""
    return {
        name: {
            "task": name,
            "schedule": tick_seconds,
            "options": {"expires": tick_seconds * HINT_LIFE_IN_TICKS, "ignore_result": True},
        }
        for name in (PLAN, RESCUE)
    }
