"""Our reader of structured fields against http-sf: ``python -m benchmarks.structured_values 1000000``.

A third of the values is valid, a third has a few bytes changed, and a third is made of pieces by chance. What our reader
makes of each, as every type, must be what http-sf makes of it. It ends with 1 at the first value that is read differently.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import http_sf

from review import structured_fields

KINDS = ("dictionary", "list", "item")
KEYS = ("a", "b", "report-to", "*", "*k", "camera", "a_b-c.d*e", "k9", "endpoints")
BARE = (
    *("a", "*", "self", "Token:/x", "t!#$%&'*+-.^_`|~9", "none"),
    *('""', '"x"', '"a,b;c=(d)"', r'"\"\\\""', '"https://a.example/"', '" "', '"~!"'),
    *("0", "-0", "7", "-999999999999999", "123456789012345", "1.5", "-0.0", "123456789012.125", "0.100"),
    *("?0", "?1", "::", ":QQ:", ":QUI=:", ":QUJD:", ":+/+/:", "@0", "@-1", "@253402300799", "@-62135596800"),
    *('%""', '%"f%c3%bc"', '%"a;b,(c)"'),
)
NEARLY = (
    *("1234567890123456", "1234567890123.1", "1.", "1.2345", ".5", "-", "--1", "+1", "?2", "?", "'a'", "A="),
    *(":=:", ":Q:", ":QQ===:", ":Q=Q:", ":Q Q:", ":", "@", "@1.5", "@253402300800", "@999999999999999"),
    *(
        '"',
        '"\\a"',
        '"\t"',
        '"\x7f"',
        '"\xe9"',
        '%"%C3"',
        '%"%ff"',
        '%"%"',
        '%"',
        "%a",
        "(",
        ")",
        "()",
        "((a))",
    ),
)
SIGNS = (",", ", ", " , ", "\t,\t", ";", "; ", " ;", ";\t", "=", "= ", "(", ")", " ", "  ", "\t", "\n", "\0")


def library(data: bytes, kind: str) -> Any:
    """What http-sf makes of a value; None where it refuses it."""
    try:
        return http_sf.parse(data, tltype=kind)
    except (http_sf.StructuredFieldError, ValueError):
        return None


def differs(data: bytes) -> str:
    """As which type the two read a value differently; empty where they agree. Texts tell 0 from -0.0 and from false."""
    return next(
        (kind for kind in KINDS if repr(structured_fields.parse(data, kind)) != repr(library(data, kind))), ""
    )


def value(chance: random.Random) -> bytes:
    """A value that is valid, nearly valid, or neither."""
    make = chance.choice((_valid, _changed, _pieces))
    return make(chance).encode("latin-1")


def _valid(chance: random.Random) -> str:
    member = chance.choice((_member, _listed))
    members = [member(chance) for _ in range(chance.choice((0, 1, 1, 2, 3, 9)))]
    return (
        chance.choice(("", "", "  "))
        + chance.choice((",", ", ", "\t , ")).join(members)
        + chance.choice(("", "", " "))
    )


def _member(chance: random.Random) -> str:
    key = chance.choice(KEYS)
    return f"{key}={_listed(chance)}" if chance.random() < 0.8 else key + _parameters(chance)


def _listed(chance: random.Random) -> str:
    if chance.random() < 0.7:
        return _item(chance)
    items = chance.choice((" ", "  ")).join(_item(chance) for _ in range(chance.randrange(4)))
    return f"({chance.choice(('', ' '))}{items}{chance.choice(('', ' '))}){_parameters(chance)}"


def _item(chance: random.Random) -> str:
    return _bare(chance) + _parameters(chance)


def _bare(chance: random.Random) -> str:
    if chance.random() < 0.7:
        return chance.choice(BARE)
    number = chance.randrange(10 ** chance.randrange(1, 15))
    return chance.choice((f"{number}", f"-{number}", f"t{number}", f'"{number}"', f"@{number % 10**11}"))


def _parameters(chance: random.Random) -> str:
    def one() -> str:
        said = f"={_bare(chance)}" if chance.random() < 0.6 else ""
        return f";{chance.choice(('', ' '))}{chance.choice(KEYS)}{said}"

    return "".join(one() for _ in range(chance.choice((0, 0, 0, 1, 2, 3))))


def _changed(chance: random.Random) -> str:
    """A valid value with one to three places taken away, put in or replaced."""
    text = _valid(chance)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(text) + 1)
        put = chance.choice((*SIGNS, *NEARLY, chr(chance.randrange(256)), ""))
        text = text[:at] + put + text[at + chance.randrange(3) :]
    return text


def _pieces(chance: random.Random) -> str:
    drawn: list[Callable[[], str]] = [
        lambda: chance.choice(SIGNS),
        lambda: chance.choice(KEYS),
        lambda: chance.choice(BARE),
        lambda: chance.choice(NEARLY),
        lambda: chance.randbytes(2).decode("latin-1"),
    ]
    return "".join(chance.choices(drawn, (9, 5, 5, 1, 0.3))[0]() for _ in range(chance.randrange(9)))


def main() -> int:
    """Compare so many values; 1 at the first difference."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.structured_values")
    parser.add_argument("count", type=int, nargs="?", default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    chance, began, read = random.Random(wanted.seed), time.perf_counter(), 0  # noqa: S311 - nothing secret
    for _ in range(wanted.count):
        data = value(chance)
        if kind := differs(data):
            print(f"{data!r} is read differently as {kind}")
            return 1
        read += any(structured_fields.parse(data, kind) is not None for kind in KINDS)
    took = time.perf_counter() - began
    print(
        f"{wanted.count:,} values in {took:.0f} s, all read as http-sf reads them; {read:,} are valid as one type or more"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
