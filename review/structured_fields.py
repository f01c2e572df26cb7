"""Structured fields (RFC 9651) read by a few regular expressions: the very values of http-sf, in a fraction of its time.

One expression for each type says whether a value is refused, and never gives back what it has taken; of a value that is
not refused, others find the parts. ``tests/unit/review/test_structured_fields.py`` holds all of it to http-sf; see decision 0016.
"""

from __future__ import annotations

import base64
import functools
import re
import string
import sys
import urllib.parse
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

Parameters = dict[str, Any]


class Token(str):
    """A word without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f'Token("{self}")'


class DisplayString(str):
    """A string of any characters, for people."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f'DisplayString("{self}")'


# Groups that are repeated for good Python before 3.11.5 gets wrong (its issue 106052). Without them it stays linear, since
# what follows a part never begins like the part; to refuse a value takes up to three times as long.
_ANY, _MAYBE = ("*+", "?+") if sys.version_info >= (3, 11, 5) else ("*", "?")
_KEY = r"[a-z*][a-z0-9_.*-]*+"
_BARE_ITEMS = (
    r"[A-Za-z*][A-Za-z0-9:/!#$%&'*+.^_`|~-]*+",  # token
    r'"[ !#-\[\]-~]*+(?:\\["\\][ !#-\[\]-~]*+)*"',  # string
    r"-?[0-9]{1,12}+\.[0-9]{1,3}+",  # decimal
    r"-?[0-9]{1,15}+",  # integer
    r"\?[01]",  # boolean
    r":(?:[A-Za-z0-9+/]++={0,2}+)?:",  # bytes
    r"@-?[0-9]{1,15}+",  # date
    r'%"[ !#$&-~]*+(?:%[0-9a-f][0-9a-f][ !#$&-~]*+)*"',  # display string
)
_BARE = "|".join(_BARE_ITEMS)
_PARAMETERS = rf"(?:; *+{_KEY}(?:=(?:{_BARE})){_MAYBE}){_ANY}"
_ITEM = rf"(?:{_BARE}){_PARAMETERS}"
_INNER = rf" *+(?:{_ITEM}(?: ++|(?=\)))){_ANY}"
_VALUE = rf"(?:\({_INNER}\)|{_BARE})"
_MEMBER = rf"{_KEY}(?:={_VALUE}){_MAYBE}{_PARAMETERS}"
_NEXT = r"[ \t]*+(?:,[ \t]*+(?!\Z)|\Z)"

_FORMS = {
    "dictionary": rf" *+(?:{_MEMBER}{_NEXT}){_ANY}",
    "list": rf" *+(?:{_VALUE}{_PARAMETERS}{_NEXT}){_ANY}",
    "item": rf" *+{_ITEM} *+",
}
_PARTS = {
    "dictionary": rf"({_KEY})(?:=({_VALUE}))?({_PARAMETERS})",
    "list": rf"({_VALUE})({_PARAMETERS})",
    "item": rf"({_BARE})({_PARAMETERS})",
}
_PARAMETER = re.compile(rf"; *+({_KEY})(?:=({_BARE}))?|\n")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse(data: bytes, kind: str) -> Any:
    """A value of type ``item``, ``list`` or ``dictionary`` as http-sf gives it; None where that refuses it.

    Equal parts of it may be one object: nobody may change it.
    """
    # No byte above 127 stands anywhere in such a value.
    if not data.isascii():
        return None
    text = data.decode("ascii")
    if _form(kind).fullmatch(text) is None:
        return None
    try:
        return _READERS[kind](text)
    except (ValueError, OverflowError):
        return None


@functools.cache
def _form(kind: str) -> re.Pattern[str]:
    """What a whole value must look like. Made when it is asked for: that takes milliseconds."""
    return re.compile(_FORMS[kind])


@functools.cache
def _parts(kind: str) -> re.Pattern[str]:
    return re.compile(_PARTS[kind])


def _dictionary(text: str) -> dict[str, Any]:
    found = _parts("dictionary").findall(text if '"' in text else _without_repeats(text))
    made, parameters = _made(value for _, value, _ in found), _parameters(rest for _, _, rest in found)
    return {key: (made[value], parameters[rest]) for key, value, rest in found}


def _without_repeats(text: str) -> str:
    """A dictionary of the same keys in the same order with the same values, shorter if members are repeated a lot.

    The first of each member says the order, the last of each the value: of a repeated key the last one counts, at the
    place of the first.
    """
    members = text.split(",")
    first = dict.fromkeys(members)
    if len(first) * 4 > len(members):
        return text
    last = dict.fromkeys(reversed(members))
    return ",".join((*first, *reversed(last)))


def _list(text: str) -> list[Any]:
    return _paired(_parts("list").findall(text))


def _item(text: str) -> Any:
    return _paired(_parts("item").findall(text))[0]


def _inner(text: str) -> list[Any]:
    if '"' in text or ";" in text:
        return _paired(_parts("item").findall(text))
    words = text.strip("( )").split()
    made, none = _made(words), Parameters()
    return [(made[word], none) for word in words]


def _paired(found: list[tuple[str, str]]) -> list[Any]:
    made, parameters = _made(value for value, _ in found), _parameters(rest for _, rest in found)
    return [(made[value], parameters[rest]) for value, rest in found]


_READERS: dict[str, Callable[[str], Any]] = {"dictionary": _dictionary, "list": _list, "item": _item}


def _made(texts: Iterable[str]) -> dict[str, Any]:
    """What each text stands for, made once; where there is none, it is true."""
    return {text: _MAKERS[text[0]](text) if text else True for text in set(texts)}


def _parameters(texts: Iterable[str]) -> dict[str, Parameters]:
    """The parameters in each text, all texts read at once; of a repeated name the last value counts."""
    read: dict[str, Parameters] = {"": {}}
    distinct = [text for text in set(texts) if text]
    found = _PARAMETER.findall("\n".join((*distinct, ""))) if distinct else []
    made, waiting = _made(value for _, value in found), iter(distinct)
    if len(distinct) == 1:
        found = list(dict(found).items())  # repeats cost little then
    pairs: Parameters = {}
    for key, value in found:
        if key:
            pairs[key] = made[value]
        else:
            read[next(waiting)] = pairs
            pairs = {}
    return read


def _string(text: str) -> str:
    """A quote inside has its backslash, so pairs of backslashes are found from the left; NUL is in no string."""
    inner = text[1:-1]
    if "\\" not in inner:
        return inner
    return inner.replace("\\\\", "\0").replace('\\"', '"').replace("\0", "\\")


def _number(text: str) -> int | Decimal:
    return Decimal(text) if "." in text else int(text)


def _bytes(text: str) -> bytes:
    """Padding may be missing (RFC 9651, 4.2.7)."""
    content = text.strip(":=")
    return base64.b64decode(content + "=" * (-len(content) % 4), validate=True)


def _date(text: str) -> datetime:
    return _EPOCH + timedelta(0, int(text[1:]))


def _display_string(text: str) -> DisplayString:
    return DisplayString(urllib.parse.unquote_to_bytes(text[2:-1]).decode("utf-8"))


_MAKERS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(f"{string.ascii_letters}*", Token),
    **dict.fromkeys(f"{string.digits}-", _number),
    '"': _string,
    "?": "?1".__eq__,
    "(": _inner,
    ":": _bytes,
    "@": _date,
    "%": _display_string,
}
"""By the first letter of a text, what makes its value."""
