"""How long judging takes: ``python -m benchmarks.judging``, with ``--fuzz 1000000`` for random inputs as well.

CPU time of one thread, so that a busy machine spoils it less; the best of three, and of many looks for the worst. Policies
and cookies differ each time, so that no cache makes it faster than it is for a header set that was never seen. It ends with 1 when a target is missed.
``--verdicts 0 100000`` prints a digest of that many verdicts instead, by which two trees can be compared.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import itertools
import json
import random
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from benchmarks import hostile_headers
from review import judge, single
from review import received as reading
from review.inputs import Answer

Pair = tuple[str, str]

ORDINARY_MS = 1.0
BLOCK_BYTES, BLOCK_MS = 128 * 1024, 50.0
VALUE_BYTES, VALUE_MS = 8 * 1024, 1.0
GRADED_BYTES, GRADED_MS = 15 * 1024, 50.0
ROUNDS = 3
WORST, LOOKS = 60, 12
SHOWN = 5

_BASE = (
    ("Date", "Mon, 23 Nov 2026 09:00:00 GMT"),
    ("Server", "nginx"),
    ("Content-Type", "text/html; charset=utf-8"),
)
_HARDENED = (
    ("Strict-Transport-Security", "max-age=63072000; includeSubDomains; preload"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Embedder-Policy", 'require-corp; report-to="default"'),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    (
        "Permissions-Policy",
        'camera=(), geolocation=(self "https://maps.example"), microphone=(), fullscreen=*',
    ),
    ("Reporting-Endpoints", 'default="https://reports.example/r"'),
    ("Cache-Control", "private, no-cache"),
)
_HOSTS = " ".join(f"https://cdn{number}.assets.example" for number in range(25))

ORDINARY: dict[str, tuple[Pair, ...]] = {
    "bare page": _BASE,
    "hardened page": (
        *_BASE,
        *_HARDENED,
        (
            "Content-Security-Policy",
            "default-src 'none'; script-src 'nonce-r4nd0m' 'strict-dynamic'; base-uri 'none'",
        ),
        ("Set-Cookie", "__Host-session=abcdef; Path=/; Secure; HttpOnly; SameSite=Lax"),
    ),
    "page with a large policy": (
        *_BASE,
        *_HARDENED,
        (
            "Content-Security-Policy",
            f"default-src 'self'; script-src 'self' 'unsafe-inline' {_HOSTS}; style-src 'self' {_HOSTS}; report-to default",
        ),
    ),
    "shop with cookies": (
        *_BASE,
        ("X-Powered-By", "PHP/8.2.1"),
        ("Cache-Control", "no-store, no-cache, must-revalidate"),
        ("Pragma", "no-cache"),
        *(("Set-Cookie", f"visitor{number}=abc; Max-Age=3600; Path=/; SameSite=None") for number in range(8)),
    ),
    "blog": (
        *_BASE,
        ("X-Powered-By", "PHP/8.2.1"),
        ("Link", '<https://blog.example/wp-json/>; rel="https://api.w.org/"'),
        ("X-Pingback", "https://blog.example/xmlrpc.php"),
        ("Vary", "Accept-Encoding"),
    ),
    "api": (
        ("Content-Type", "application/json"),
        ("Access-Control-Allow-Origin", "https://app.example"),
        ("Access-Control-Allow-Credentials", "true"),
        ("Vary", "Origin"),
        ("X-RateLimit-Remaining", "41"),
        ("ETag", 'W/"abc"'),
    ),
}


def milliseconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The CPU time of the best of a few rounds."""
    best = float("inf")
    for _ in range(rounds):
        forget()
        began = time.thread_time_ns()
        work()
        best = min(best, (time.thread_time_ns() - began) / 1e6)
    return best


def forget() -> None:
    """Empty every cache of values that were judged, so that each round is the first one."""
    for cache in _caches():
        cache.cache_clear()


@functools.cache
def _caches() -> list[Any]:
    modules = [module for name, module in sys.modules.items() if name.startswith(("review.", "headersweep."))]
    found = [each for module in modules for each in vars(module).values() if hasattr(each, "cache_clear")]
    # Without a limit there is one value for the whole process, such as the list of public suffixes.
    return [each for each in found if each.cache_info().maxsize is not None]


def review(pairs: tuple[Pair, ...], host: str = "site.example") -> None:
    """Everything that is said about one answer in a sweep."""
    received = reading.received(pairs, host=host)
    judge.judge(received)
    judge.effective(received)


def ordinary() -> bool:
    """Ordinary header sets, with what the first one costs."""
    late = False
    for label, pairs in ORDINARY.items():
        took = min(milliseconds(functools.partial(review, one), 1) for one in _unseen(pairs))
        graded = min(
            milliseconds(functools.partial(single.verdict, Answer(one)), 1) for one in _unseen(pairs)
        )
        late |= took > ORDINARY_MS
        print(f"{label:<32} {took:8.3f} ms  with grade {graded:.3f} ms  {_target(took, ORDINARY_MS)}")
    return late


def _unseen(pairs: tuple[Pair, ...]) -> Iterable[tuple[Pair, ...]]:
    """The header set in a few variants that nobody has judged before."""
    for _ in range(ROUNDS):
        mark = next(_numbers)
        yield tuple(
            (name, f"{value}{mark}" if name in {"Content-Security-Policy", "Set-Cookie"} else value)
            for name, value in pairs
        )


_numbers = itertools.count(1)


def hostile(label: str, length: int, limit: float, work: Callable[[tuple[Pair, ...]], object]) -> bool:
    """The worst of all hostile blocks of a length; they are looked at again and again, as the machine may have been busy."""
    found = [
        (milliseconds(functools.partial(work, pairs), 1), name, kind, pairs)
        for name, kind, pairs in _hostile_blocks(length)
    ]
    count = len(found)
    for _ in range(LOOKS):
        found = sorted(found, reverse=True)[:WORST]
        found = [
            (min(took, milliseconds(functools.partial(work, pairs))), name, kind, pairs)
            for took, name, kind, pairs in found
        ]
    found.sort(reverse=True)
    print(f"\n{label}: worst of {count}")
    for took, name, kind, _ in found[:SHOWN]:
        print(f"  {took:10.3f} ms  {name}: {kind}  {_target(took, limit)}")
    return found[0][0] > limit


def _hostile_blocks(length: int) -> Iterable[tuple[str, str, tuple[Pair, ...]]]:
    for name in hostile_headers.names():
        for kind, pairs in hostile_headers.blocks(name, length):
            yield name, kind, pairs
    yield "many names", "", hostile_headers.many_names(length)


def fuzz(count: int, seed: int) -> bool:
    """Random inputs; the first one that raises is shown."""
    began = time.perf_counter()
    slowest = 0.0
    for number in range(count):
        chance = random.Random(f"{seed}/{number}")  # noqa: S311 - nothing secret
        pairs = hostile_headers.random_block(chance)
        started = time.thread_time_ns()
        try:
            single.verdict(
                Answer(pairs, status=chance.choice((200, 200, 302, 404)), url="https://site.example/")
            )
        except Exception:  # noqa: BLE001 - whatever it is, it is what we look for
            print(f"\ninput {number} of seed {seed} raises: {pairs!r}")
            traceback.print_exc()
            return True
        slowest = max(slowest, (time.thread_time_ns() - started) / 1e6)
    took = time.perf_counter() - began
    print(f"\n{count:,} random inputs in {took:.0f} s, none raised; the slowest took {slowest:.2f} ms")
    return False


def verdicts(first: int, count: int) -> str:
    """The digest of the verdicts on so many mixed blocks: two trees that judge alike print the same."""
    digest = hashlib.sha256()
    for number in range(first, first + count):
        chance = random.Random(f"verdict/{number}")  # noqa: S311 - nothing secret
        pairs = hostile_headers.mixed_block(chance)
        status, scheme = chance.choice((200, 200, 302, 404)), chance.choice(("https", "https", "http"))
        found = single.verdict(Answer(pairs, status=status, url=f"{scheme}://site.example/"))
        digest.update(json.dumps(found.as_json(), sort_keys=True).encode())
    return digest.hexdigest()


def _target(took: float, limit: float) -> str:
    return f"(at most {limit:g} ms{'' if took <= limit else ': MISSED'})"


def main() -> int:
    """Print figures beside their targets; 1 when one is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judging")
    parser.add_argument("--fuzz", type=int, default=0, metavar="N", help="judge N random inputs as well")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--verdicts", type=int, nargs=2, metavar=("FIRST", "COUNT"), help="only print a digest of verdicts"
    )
    wanted = parser.parse_args()
    if wanted.verdicts:
        print(verdicts(*wanted.verdicts))
        return 0
    began = time.perf_counter()
    review(ORDINARY["hardened page"])
    print(f"{'the very first answer':<32} {(time.perf_counter() - began) * 1000:8.3f} ms")
    missed = [
        ordinary(),
        hostile("Blocks of 128 KiB", BLOCK_BYTES, BLOCK_MS, review),
        hostile("One header of 8 KiB", VALUE_BYTES, VALUE_MS, review),
        hostile(
            "Graded blocks of 15 KiB", GRADED_BYTES, GRADED_MS, lambda pairs: single.verdict(Answer(pairs))
        ),
        fuzz(wanted.fuzz, wanted.seed) if wanted.fuzz else False,
    ]
    return int(any(missed))


if __name__ == "__main__":
    sys.exit(main())
