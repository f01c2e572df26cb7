"""Kill anything, anywhere in a sweep, again and again: ``python -m benchmarks.kills --rounds 100``.

Each round starts a sweep in a fresh home, kills something drawn at a moment drawn, resumes, and compares the digest with
that of a sweep that was left alone. A failed round prints its seed: ``--seed N --rounds 1`` repeats it.

``--everything`` kills all processes of the home at once, once a round, as a power cut would, and holds the pages that
were fetched again, as the server counted them, against one commit interval.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from dataclasses import dataclass

from tests.processes import _program
from tests.processes._program import Ended, Home, Program
from tests.site_plan import CALM
from tests.site_server import SiteServer

PAGES = 181
CONCURRENCY = 4
ORIGINS = 3
WORKERS = 2
COMMIT_PAGES = 20
ONE_INTERVAL = WORKERS * COMMIT_PAGES + CONCURRENCY * ORIGINS
"""Pages that may be fetched again after a kill: what each worker had not committed, and what was in flight."""

MOST_KILLS = 3
TARGETS = ("a worker", "all workers", "the command", "Postgres", "the broker", "everything")
RESUME_SECONDS = 15.0


@dataclass(frozen=True)
class Round:
    """What came of one round."""

    seed: int
    kills: tuple[str, ...]
    digest: str
    repeated: int
    resumed_in: float


def sweep(home: Home, site: SiteServer) -> Program:
    """Start the sweep of the site, or go on with it: the slot is always the same."""
    path = _program.site_file(home.folder, site, concurrency=CONCURRENCY)
    settings = {
        "HEADERSWEEP_COMMIT_PAGES": str(COMMIT_PAGES),
        "HEADERSWEEP_SHARDS_PER_SLICE": "2",
        "HEADERSWEEP_WORKERS": str(WORKERS),
    }
    command = ("sweep", "--site-file", str(path), "--slot", "2026-03-01", "--format", "json")
    return home.start(*command, **settings)


def strike(home: Home, program: Program, target: str, dice: random.Random) -> None:
    """Kill something, if it is there."""
    pids = {
        "a worker": dice.sample(program.workers(), min(1, len(program.workers()))),
        "all workers": program.workers(),
        "the command": [program.pid],
        "Postgres": home.postgres(),
        "the broker": home.broker(),
        "everything": home.processes(),
    }
    _program.kill(pids[target])


def drawn(dice: random.Random) -> tuple[str, ...]:
    """What a round kills, one after the other."""
    return tuple(dice.choice(TARGETS) for _ in range(dice.randint(1, MOST_KILLS)))


def one_round(made: Home, site: SiteServer, seed: int, *, everything: bool = False) -> Round:
    """Sweep under fire until the run is over."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    kills = ("everything",) if everything else drawn(dice)
    site.forget()
    home = made.copy_to(_program.new_folder())
    try:
        return _under_fire(home, site, seed, kills, dice)
    finally:
        home.close()


def _under_fire(
    home: Home, site: SiteServer, seed: int, kills: tuple[str, ...], dice: random.Random
) -> Round:
    resumed_in = 0.0
    program = sweep(home, site)
    for target in kills:
        _wait_for_the_moment(program, site, dice)
        if program.process.poll() is not None:
            program = sweep(home, site)
        before = len(site.hits())
        strike(home, program, target, dice)
        if target in {"the command", "everything"}:
            program.kill()
            program = sweep(home, site)
            resumed_in = max(resumed_in, _seconds_to_go_on(program, site, before))
    run = _finished(home, site, program)
    repeated = sum(count - 1 for url, count in site.hits().items() if url in site.plan.numbers)
    return Round(seed, kills, run["digest"], repeated, resumed_in)


def _wait_for_the_moment(program: Program, site: SiteServer, dice: random.Random) -> None:
    """Let some more pages be fetched, or, once in a while, strike while things are only starting."""
    wanted = len(site.hits()) + dice.randint(0, PAGES // 2)
    until = time.monotonic() + dice.choice((0.5, 1.0, 10.0, 10.0, 10.0))
    while program.process.poll() is None and len(site.hits()) < wanted and time.monotonic() < until:
        time.sleep(0.02)


def _seconds_to_go_on(program: Program, site: SiteServer, before: int) -> float:
    began = time.monotonic()
    while program.process.poll() is None and len(site.hits()) <= before:
        time.sleep(0.05)
    return time.monotonic() - began


def _finished(home: Home, site: SiteServer, program: Program) -> dict[str, str]:
    ended: Ended = program.wait()
    while ended.code == 7:  # Postgres was away: resumable
        ended = sweep(home, site).wait()
    assert ended.code == 0, ended.err
    return ended.only_run


def main() -> int:
    """Print one line a round and the sum; 1 when any round went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="of the first round; the next ones count on")
    parser.add_argument("--everything", action="store_true", help="one kill a round, of everything at once")
    arguments = parser.parse_args()
    with (
        _program.home() as made,
        SiteServer(pages=PAGES, origins=ORIGINS, chain=6, delay=0.1, shares=CALM) as site,
    ):
        assert made.run("db", "upgrade").code == 0
        seeds = range(arguments.seed, arguments.seed + arguments.rounds)
        return _rounds(made, site, seeds, everything=arguments.everything)


def _rounds(made: Home, site: SiteServer, seeds: range, *, everything: bool) -> int:
    left_alone = made.copy_to(_program.new_folder())
    try:
        digest = sweep(left_alone, site).wait().only_run["digest"]
    finally:
        left_alone.close()
    rounds, wrong = [], 0
    for seed in seeds:
        try:
            one = one_round(made, site, seed, everything=everything)
        except AssertionError as error:
            wrong += 1
            print(f"{seed:5}  WRONG: {error}", flush=True)
            continue
        rounds.append(one)
        verdict = _verdict(one, digest)
        wrong += verdict != "same"
        print(f"{seed:5}  {verdict}  {one.repeated:3} repeated  {', '.join(one.kills)}", flush=True)
    _summary(rounds, wrong, len(seeds))
    return int(wrong > 0)


def _verdict(one: Round, digest: str) -> str:
    if one.digest != digest:
        return "ANOTHER DIGEST"
    return "same" if one.repeated <= len(one.kills) * ONE_INTERVAL else "TOO MANY FETCHED AGAIN"


def _summary(rounds: list[Round], wrong: int, count: int) -> None:
    print(
        f"{count - wrong} of {count} rounds ended with the digest of a sweep left alone, within one commit interval a kill"
    )
    if rounds:
        slowest = max(one.resumed_in for one in rounds)
        print(f"going on took at most {slowest:.1f} s (target {RESUME_SECONDS:.0f})")
        again = [one.repeated / len(one.kills) for one in rounds]
        print(
            f"pages fetched again, a kill: {statistics.median(again):.0f} in the median, {max(again):.0f} at most; "
            f"one commit interval is {ONE_INTERVAL} ({WORKERS} workers, {COMMIT_PAGES} pages each, and "
            f"{CONCURRENCY * ORIGINS} in flight)"
        )


if __name__ == "__main__":
    sys.exit(main())
