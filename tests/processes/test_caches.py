"""Real nginx and Varnish before a site: probes find nothing in a right configuration, and each wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.caches import rehearsing, servers
from benchmarks.caches.rehearsing import Setup

pytestmark = pytest.mark.processes

PROGRAMS = {"nginx": "nginx", "varnish": "varnishd"}


@pytest.mark.parametrize("setup", rehearsing.SETUPS, ids=lambda setup: f"{setup.cache}, {setup.name}")
def test_probes_find_what_is_wrong_with_a_cache_and_nothing_else(setup: Setup, tmp_path: Path) -> None:
    if servers.found(PROGRAMS[setup.cache]) is None:
        pytest.skip(f"{setup.cache} is not installed (Debian: apt-get install nginx varnish)")
    assert rehearsing.findings(setup, tmp_path / "cache") == setup.finds
