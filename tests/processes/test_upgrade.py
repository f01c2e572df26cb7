"""An upgrade as docs/upgrading.md has it: the code before the newest migration works on the new schema, beside the new code.

The old tree comes from git; nothing names its commit, so that each new migration is tested against the code before it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from models import migrate
from tests import servers
from tests.processes import _history, _program
from tests.processes._history import Previous
from tests.processes._program import ROOT, Home
from tests.site_plan import CALM, Truth
from tests.site_server import SiteServer

PAGES = 121
READY_SECONDS = 30.0
WORKERS = "SELECT count(*) FROM heartbeats WHERE kind = 'worker' AND name LIKE %s AND seen_at > now() - interval '9 s'"
SLOTS = {"old": "2026-03-01T10:00:00Z", "both": "2026-03-01T11:00:00Z", "new": "2026-03-01T12:00:00Z"}


@dataclass
class Upgrade:
    """One database during an upgrade, and the trees of code that work on it."""

    folder: Path
    urls: servers.Urls
    previous: Previous
    site: SiteServer
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environment(self, tree: Path) -> dict[str, str]:
        """Nothing but this database, this broker and this tree's code."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HEADERSWEEP_")}
        return kept | {
            "PYTHONPATH": str(tree),
            "HEADERSWEEP_DATABASE_URL": self.urls.database,
            "HEADERSWEEP_BROKER_URL": self.urls.broker,
            "HEADERSWEEP_HOME": str(self.folder / "home"),
            # Three origins, one a slice: whoever works at all gets some of them.
            "HEADERSWEEP_SHARDS_PER_SLICE": "1",
            "HEADERSWEEP_COMMIT_PAGES": "20",
            "HEADERSWEEP_TICK_SECONDS": "1",
            "HEADERSWEEP_LOG": "json",
        }

    def python(self, tree: Path, program: str) -> str:
        """What a line of Python prints with a tree's code."""
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=self.environment(tree),
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def log(self, name: str) -> list[dict[str, Any]]:
        """The lines that a worker logged."""
        lines = (self.folder / f"{name}.log").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    @contextlib.contextmanager
    def worker(self, name: str, tree: Path) -> Iterator[subprocess.Popen[bytes]]:
        """A worker of a tree's code, until it was asked to stop and has ended."""
        command = ["-P", "-m", "celery", "-A", "worker", "worker", "-P", "threads", "-c", "2"]
        log = self.folder / f"{name}.log"
        with log.open("ab") as stream:
            process = subprocess.Popen(
                [sys.executable, *command, "-n", f"{name}@%h", "-l", "WARNING"],
                env=self.environment(tree),
                cwd=tree,
                stdout=stream,
                stderr=stream,
            )
        try:
            _program.until(lambda: self.reports(name, process), READY_SECONDS, f"the start of {name}")
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(READY_SECONDS) == 0, log.read_text()
        finally:
            process.kill()
            process.wait()

    def reports(self, name: str, process: subprocess.Popen[bytes]) -> bool:
        """Whether a worker gave a sign of life."""
        assert process.poll() is None, (self.folder / f"{name}.log").read_text()
        return bool(self.query(WORKERS, f"{name}@%")[0][0])

    def sweep(self, slot: str) -> dict[str, Any]:
        """A sweep that the present code plans, and leaves to the workers that are there."""
        path = _program.site_file(self.folder, self.site, concurrency=2)
        command = ["-m", "cli", "sweep", "--site-file", str(path), "--slot", slot, "--format", "json"]
        done = subprocess.run(
            [sys.executable, *command],
            env=self.environment(ROOT),
            cwd=self.folder,
            check=False,
            capture_output=True,
            text=True,
            timeout=_program.END_SECONDS,
        )
        assert done.returncode == 0, done.stderr
        assert "their logs" not in done.stderr, "it started workers of its own"
        (run,) = json.loads(done.stdout)["runs"]
        return dict(run)

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows as the database has them."""
        with psycopg.connect(self.urls.database) as connection:
            return connection.execute(statement.encode(), values or None).fetchall()

    def pages_of(self, name: str) -> int:
        """How many pages a worker says that it fetched."""
        return sum(line.get("pages", 0) for line in self.log(name) if line.get("event") == "slice.finished")


@pytest.fixture(scope="module")
def site() -> Iterator[SiteServer]:
    with SiteServer(pages=PAGES, origins=3, chain=6, delay=0.05, shares=CALM) as served:
        yield served


@pytest.fixture(scope="module")
def tree() -> Iterator[Previous]:
    with _program.home() as home:
        folder = home.folder / "previous"
        folder.mkdir()
        yield _history.previous(folder)


@pytest.fixture
def upgrade(home: Home, tree: Previous, site: SiteServer) -> Iterator[Upgrade]:
    """A database at the older revision, and a broker that no other test listens to."""
    if not _history.may_go_on(tree):
        pytest.skip(f"{migrate.head()} or one before it runs after the last old worker is gone (side post)")
    with (
        home.servers() as own,
        servers.fresh_database(own.owner_url, "upgrade") as url,
    ):
        made = Upgrade(home.folder, servers.Urls(url, own.broker_url), tree, site)
        made.python(tree.folder, f"from models import migrate; migrate.upgrade({url!r})")
        site.forget()
        yield made


def assert_complete(upgrade: Upgrade, run: dict[str, Any]) -> None:
    """Every page has its one visit with the outcome that the site's plan says, and the accounting adds up."""
    visits = upgrade.query(
        "SELECT p.url, v.outcome, v.status, t.url FROM visits v JOIN pages p ON p.id = v.page_id "
        "LEFT JOIN pages t ON t.id = v.target_page_id WHERE v.run_id = %s",
        run["run"],
    )
    assert {url: Truth(*rest) for url, *rest in visits} == upgrade.site.truth()
    assert len(visits) == len(upgrade.site.truth())
    accounting = upgrade.query(
        "SELECT state, discovered = stored + robots_denied + robots_unreachable + out_of_scope + trapped "
        "+ failed + skipped_limit, unvisited, discovered::int FROM runs WHERE id = %s",
        run["run"],
    )
    assert accounting == [("finished", True, 0, len(visits))]


def test_the_older_tree_is_what_runs(upgrade: Upgrade) -> None:
    """Else the tests below would compare the present code with itself."""
    found = upgrade.python(upgrade.previous.folder, "from models import migrate; print(migrate.head())")
    assert found == upgrade.previous.revision != migrate.head()


def test_workers_of_the_code_before_the_newest_migration_go_on_beside_the_new_ones(upgrade: Upgrade) -> None:
    with upgrade.worker("old", upgrade.previous.folder):
        migrate.upgrade(upgrade.urls.database)
        runs = [upgrade.sweep(SLOTS["old"])]
        alone = upgrade.pages_of("old")
        with upgrade.worker("new", ROOT):
            runs.append(upgrade.sweep(SLOTS["both"]))
    assert upgrade.pages_of("old") > alone > 0, "the old worker had no part in it"
    both = upgrade.pages_of("new")
    with upgrade.worker("new", ROOT):
        runs.append(upgrade.sweep(SLOTS["new"]))
    assert upgrade.pages_of("new") > both > 0, "the new worker had no part in it"
    for run in runs:
        assert_complete(upgrade, run)
    assert len({run["digest"] for run in runs}) == 1
    events = upgrade.query("SELECT event_id, emitted_at IS NOT NULL FROM outbox ORDER BY id")
    assert events == [(f"run.finished:{run['run']}:1", True) for run in runs]


def test_an_old_worker_can_be_started_again_on_the_new_schema(upgrade: Upgrade) -> None:
    if not upgrade.previous.reads_notes:
        pytest.skip(
            f"the code before {migrate.head()} refuses every newer revision: it is older than the rule"
        )
    migrate.upgrade(upgrade.urls.database)
    with upgrade.worker("old", upgrade.previous.folder):
        assert_complete(upgrade, upgrade.sweep(SLOTS["old"]))
