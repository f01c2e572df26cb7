"""Every Celery option we set is one that Celery knows: it accepts misspelt ones silently."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from celery.app import defaults
from kombu.transport import redis

from headersweep.settings import Settings
from scheduler import beat, doorbell

TASKS = {"crawl.slice", "sweep.plan", "run.finish", "sweep.rescue"}
SETTINGS = Settings(database_url="postgresql://u:secret@h/d", broker_url="redis://:secret@h:6379/0")
KOMBU_OPTIONS = {"visibility_timeout", "max_retries", "interval_start", "interval_step", "interval_max"}


@pytest.fixture(scope="module")
def celery_module() -> Iterator[Any]:
    """The app, imported in an environment of its own: it reads its settings on import."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADERSWEEP_DATABASE_URL", SETTINGS.database_url)
        patch.setenv("HEADERSWEEP_BROKER_URL", SETTINGS.broker_url)
        from worker import celery

        celery.app.loader.import_default_modules()
        yield celery


def unknown(options: dict[str, Any]) -> set[str]:
    """Options that Celery does not know, and transport options that neither kombu nor its Redis transport knows."""
    known: set[str] = {name for name, _ in defaults.flatten(defaults.NAMESPACES)}
    transport = options.get("broker_transport_options", {})
    of_transport: set[str] = {*redis.Channel.from_transport_options, *KOMBU_OPTIONS}
    return (set(options) - known) | (set(transport) - of_transport)


def test_celery_knows_every_option_of_the_worker(celery_module: Any) -> None:
    assert unknown(celery_module.options(SETTINGS)) == set()


def test_celery_knows_every_option_of_the_doorbell() -> None:
    assert unknown(doorbell.broker_settings()) == set()


@pytest.mark.parametrize(
    "misspelt",
    [
        {"task_ack_late": False},
        {"CELERYD_PREFETCH_MULTIPLIER": 1},
        {"worker_prefetch_multiplyer": 1},
        {"broker_transport_options": {"socket_time_out": 5}},
    ],
)
def test_a_misspelt_option_is_found(celery_module: Any, misspelt: dict[str, Any]) -> None:
    found = unknown({**celery_module.options(SETTINGS), **misspelt})
    assert found == {"socket_time_out"} if "broker_transport_options" in misspelt else set(misspelt)


def test_the_worker_and_whoever_rings_agree_on_queue_and_keys(celery_module: Any) -> None:
    worker, ringer = celery_module.options(SETTINGS), doorbell.broker_settings()
    assert worker["task_default_queue"] == ringer["task_default_queue"]
    prefix = "global_keyprefix"
    assert worker["broker_transport_options"][prefix] == ringer["broker_transport_options"][prefix]


def test_messages_are_doorbells(celery_module: Any) -> None:
    options = celery_module.options(SETTINGS)
    assert not options["task_acks_late"]
    assert options["task_ignore_result"]
    assert options["result_backend"] is None
    assert options["worker_prefetch_multiplier"] == 1
    assert options["broker_connection_max_retries"] is None
    for entry in options["beat_schedule"].values():
        assert entry["options"]["expires"] == beat.HINT_LIFE_IN_TICKS * SETTINGS.tick_seconds


def test_the_registered_tasks_are_ours_alone(celery_module: Any) -> None:
    assert {name for name in celery_module.app.tasks if not name.startswith("celery.")} == TASKS


def test_beat_and_doorbell_name_only_registered_tasks(celery_module: Any) -> None:
    named = {entry["task"] for entry in beat.schedule(5.0).values()} | {doorbell.TASK}
    assert named <= set(celery_module.app.tasks)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_a_task_is_a_plain_function_that_says_why_it_may_be_repeated(celery_module: Any, name: str) -> None:
    task = celery_module.app.tasks[name]
    # Celery marks a coroutine task as successful without running it.
    assert not inspect.iscoroutinefunction(task.run)
    assert "Idempotency key:" in (task.__doc__ or "")
    assert "Repeat:" in (task.__doc__ or "")
