"""``python -m tests.chaos --seeds 100``, which is what ``make chaos`` calls; ``--seed N`` tries one seed again."""

from __future__ import annotations

import argparse
import collections
import sys
import time

from cli import context
from headersweep import logs
from headersweep.settings import Settings
from tests.chaos import disk, laboratory
from tests.chaos.checks import Verdict

INTERRUPTED = 130


def main() -> int:
    """Print a line a seed and a table; 1 when any seed failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, metavar="N", help="how many")
    parser.add_argument("--first", type=int, default=1, metavar="N", help="the first; the next ones count on")
    parser.add_argument("--seed", type=int, metavar="N", help="this one alone")
    wanted = parser.parse_args()
    first, count = (wanted.first, wanted.seeds) if wanted.seed is None else (wanted.seed, 1)
    logs.configure(Settings(log_level="error"), is_terminal=False)
    began = time.monotonic()
    verdicts: list[Verdict] = []
    try:
        _try(range(first, first + count), verdicts)
    except KeyboardInterrupt:
        _say("stopped; so far:")
        return INTERRUPTED
    finally:
        _sum_up(verdicts, time.monotonic() - began)
    return int(any(verdict.wrong for verdict in verdicts))


def _try(seeds: range, verdicts: list[Verdict]) -> None:
    # Whoever stops us, by Ctrl-C or SIGTERM, leaves nothing running.
    with (
        context.terminated_like_interrupted(),
        laboratory.made_home() as made,
        laboratory.opened(made) as lab,
    ):
        _say(f"a full disk is {disk.described()}")
        _say(f"left alone: {lab.alone.seconds:.1f} s, digest {lab.alone.digest[:16]}")
        for seed in seeds:
            verdicts.append(lab.tried(seed))
            _tell(verdicts[-1])


def _tell(verdict: Verdict) -> None:
    seed, word = verdict.schedule.seed, "WRONG" if verdict.wrong else "same"
    _say(
        f"{seed:5}  {word:5}  {verdict.seconds:5.1f} s  end {verdict.to_the_end:4.1f} s after the last fault  "
        f"{verdict.repeated:3} again  {verdict.schedule}"
    )
    for line in verdict.wrong:
        _say(f"       {line}")
    if verdict.wrong:
        _say(f"       again: python -m tests.chaos --seed {seed}")


def _sum_up(verdicts: list[Verdict], seconds: float) -> None:
    passed = sum(not verdict.wrong for verdict in verdicts)
    _say(f"\n{passed} of {len(verdicts)} seeds ended as if nothing had happened, in {seconds:.0f} s")
    faults = collections.Counter[str]()
    for verdict in verdicts:
        faults.update(strike.fault for strike in verdict.struck)
        faults[f"all messages {verdict.schedule.messages}"] += 1
        faults[f"{verdict.schedule.servers}"] += 1
        faults["two beats"] += verdict.schedule.beats - 1
        faults["a clock that is wrong"] += bool(verdict.schedule.clock)
        if verdict.pointed:
            faults[f"at a point: {verdict.schedule.aim}"] += 1
    for name, count in sorted(faults.items()):
        _say(f"  {count:4}  {name}")
    if verdicts:
        _say(f"pages fetched again: {_spread([verdict.repeated for verdict in verdicts])}")
        _say(
            f"seconds from the last fault to the end: {_spread([verdict.to_the_end for verdict in verdicts])}"
        )
        recovered = [seconds for verdict in verdicts for seconds in verdict.recovered]
        _say(f"seconds from a fault to the next visit, or the end: {_spread(recovered or [0.0])}")
        _say(f"leases lost, and nothing of what they covered written: {sum(v.refused for v in verdicts)}")
        _say(f"messages dropped or doubled: {sum(verdict.messages for verdict in verdicts)}")


def _spread(values: list[float] | list[int]) -> str:
    ordered = sorted(values)
    return f"median {ordered[len(ordered) // 2]:.3g}, most {ordered[-1]:.3g}, sum {sum(ordered):.4g}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
