"""Scrapy on the same server: an environment of its own, one crawl, and what that cost."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path

from benchmarks.server import Server
from benchmarks.sweeps import ROOT, TIMEOUT_SECONDS

ENVIRONMENT = ROOT / ".venv-bench"
REQUIREMENTS = Path(__file__).with_name("requirements.in")
SPIDER = Path(__file__).with_name("scrapy_spider.py")


@dataclass(frozen=True)
class Crawl:
    """One finished crawl: its responses and what it used."""

    pages: int
    urls: list[str]
    seconds: float
    wall_seconds: float
    cpu_seconds: float
    requests: int


def python(given: Path | None) -> Path:
    """The Python that has Scrapy: the one given, or that of an environment made here once."""
    if given is not None:
        return given
    made = ENVIRONMENT / "bin" / "python"
    stamp = ENVIRONMENT / "requirements.sha256"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not made.is_file() or not stamp.is_file() or stamp.read_text() != wanted:
        print(f"setting up {ENVIRONMENT.name} with Scrapy (once)", file=sys.stderr)
        venv.create(ENVIRONMENT, clear=True, with_pip=True)
        (ENVIRONMENT / ".gitignore").write_text("*\n")
        install = [
            str(made),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
            str(REQUIREMENTS),
        ]
        subprocess.run(install, check=True)
        stamp.write_text(wanted)
    return made


def crawl(interpreter: Path, server: Server, max_pages: int | None = None) -> Crawl:
    """Crawl the site once; its responses go to a file as JSON lines, as headersweep's go to Postgres."""
    requests = server.requests()
    with tempfile.TemporaryDirectory(prefix="headersweep-bench-scrapy-") as folder:
        output = Path(folder) / "items.jsonl"
        command = [str(interpreter), "-P", str(SPIDER), server.url, str(output), str(max_pages or 0)]
        used = os.times()
        began = time.monotonic()
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
        wall = time.monotonic() - began
        now = os.times()
        if done.returncode:
            raise RuntimeError(
                f"scrapy: exit {done.returncode}: {done.stderr.decode('utf-8', 'replace')[-2000:]}"
            )
        urls = [json.loads(line)["url"] for line in output.read_bytes().splitlines()]
    statistics = json.loads(done.stdout.splitlines()[-1])
    cpu = now.children_user - used.children_user + now.children_system - used.children_system
    answered = server.requests() - requests - 1
    # Scrapy fetches its start URL again when a page links to it.
    return Crawl(len(set(urls)), urls, float(statistics["elapsed_time_seconds"]), wall, cpu, answered)
