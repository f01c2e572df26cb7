"""A page that kills every worker that fetches it, in an installation as a user has it; and its repair."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.integration import _web
from tests.integration._web import page
from tests.processes import _program
from tests.processes._program import Home

KILLED = 77
DEFECT = f"""
import os
from headersweep import headers

parse = headers.parse_block

def deadly(raw):
    if b"x-poison" in raw.lower():
        os._exit({KILLED})
    return parse(raw)

headers.parse_block = deadly
"""


def broken_installation(home: Home) -> str:
    """The PYTHONPATH of a program with a defect that no ``except`` catches, as a crash in a C library would be."""
    folder = home.folder / "defect"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(DEFECT)
    return os.pathsep.join([str(folder), str(_program.ROOT)])


def logged(path: Path, event: str) -> list[dict[str, object]]:
    """The lines of that event in a log."""
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("event") == event]


def test_a_page_that_kills_workers_is_named_left_out_and_stored_after_the_repair(home: Home) -> None:
    home.environ["HEADERSWEEP_WORKERS"] = "1"
    with _web.serving() as web:
        web.pages(home=page("/a", "/poison", "/b"), a=page(), b=page())
        web.routes["/poison"] = page(headers=[("X-Poison", "1")])
        ended = home.run(
            "sweep", web.start, "--allow-private", "--format", "json", PYTHONPATH=broken_installation(home)
        )
        assert (ended.code, ended.only_run["accounting"]["failed"]) == (4, 1), ended.err
        assert web.hits["/poison"] == 3
        deaths = [json.loads(line) for line in ended.err.splitlines() if '"worker.replaced"' in line]
        assert [death["process.exit.code"] for death in deaths] == [KILLED] * 3
        (named,) = logged(home.path / "logs" / "worker-1.log", "page.quarantined")
        assert named["run.id"] == 1
        shown = home.run("show", "1").out
        assert "this page ended the worker three times" in shown
        assert web.url("/poison") in shown

        repaired = home.run("rerun", "1", "--failed", "--reason", "repaired", "--format", "json")
        assert (repaired.code, repaired.only_run["state"]) == (0, "finished"), repaired.err
        assert repaired.only_run["accounting"]["stored"] == 4
        assert "Not stored" not in home.run("show", "1").out
