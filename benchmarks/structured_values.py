"""Values of structured fields drawn by chance: a third valid, a third with a few places changed, a third of pieces."""

from __future__ import annotations

import random
from collections.abc import Callable

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
