"""``checklist --self`` on real deployments: every seeded mistake of the bad one is found, and none in the good one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.selfcheck import table

ROOT = Path(__file__).parents[2]
ISOLATED = ["unshare", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]
SEEDED = {
    "self.account": "root",
    "self.listeners": "listens on tcp port 8765",
    "self.folders": "every account of this machine may write there",
    "self.database_role": "super",
    "self.database_grants": "PUBLIC has UPDATE on table sites",
    "self.database_reach": "answers on every address of its machine, in clear text",
    "self.broker_reach": "listens on every address",
    "self.broker_eviction": "allkeys-lru",
    "self.address_policy": "holds the address of cloud metadata",
    "self.tls_verification": "allow_unverified_tls = true",
    "self.owners": "without owner, rollback_note",
    "self.secret_files": "others may read or change it",
    "self.secrets_in_environment": "HEADERSWEEP_BROKER_URL",
    "self.password_strength": "is a well-known word",
    "self.process_list": "shows the password of",
    "self.secrets_in_logs": "holds a password of ours",
    "self.database_password": "let us in without the password",
    "self.broker_password": "answers without a password",
    "self.politeness": "without a limit of its rate",
    "self.durability": "fsync = off",
    "self.migration_head": "headersweep db upgrade",
    "self.invalid_indexes": "left_behind",
    "self.backup": "was touched 100.0 hours ago",
    "self.contact": "the owner is no address",
    "self.log_format": "made for eyes",
    "self.log_level": "run.finished and beat.ticked are not written",
    "self.retention": "kept for good",
    "self.planning": "neither a beat nor a worker was ever seen",
    "self.pause": "paused by ann for 72.0 hours",
    "self.promises": "1 promised events wait",
}
NOT_SEEDED = {"self.clock", "self.dead_mans_switch"}
"""One machine has one clock; and that nobody is told of silence is nothing that a machine calls wrong."""

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("unshare") is None,
        reason="needs namespaces of its own: root, and unshare (Debian: util-linux)",
    ),
]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Outside of pytest's folders, which the servers' account cannot enter."""
    with tempfile.TemporaryDirectory(prefix="headersweep-deployment-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def checklist(folder: Path, how: str) -> dict[str, dict[str, Any]]:
    done = subprocess.run(
        [*ISOLATED, sys.executable, "-m", "tests.processes.deployment_command", str(folder), how],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    return {item["name"]: item for item in json.loads(done.stdout)["items"]}


def test_every_mistake_of_a_bad_deployment_is_found(folder: Path) -> None:
    items = checklist(folder, "bad")
    missed = {
        name: items[name]
        for name, said in SEEDED.items()
        if items[name]["verdict"] != "fail" or said not in " ".join(items[name]["evidence"])
    }
    assert missed == {}
    assert set(items) == set(table.ITEMS) == set(SEEDED) | NOT_SEEDED


def test_a_good_deployment_has_none(folder: Path) -> None:
    items = checklist(folder, "good")
    verdicts = {name: item["verdict"] for name, item in items.items() if item["verdict"] != "ok"}
    # Namespaces need root, so the command itself runs as root here: that one it must say.
    assert verdicts == {"self.account": "fail"}
    assert items["self.account"]["evidence"] == ["this command runs as root"]
