"""Reading ``[[expect]]``, ``[[waiver]]``, ``[[switch]]`` and ``[[declare]]`` of a site file; every mistake in any of them at once."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from typing import Any

from headersweep import events, sitevalues
from headersweep.checklist import Declaration
from headersweep.policies import ALERT, ALL_OF, Expectation, Switch, ValueTest, Waiver
from headersweep.policykeys import DECLARE, EXPECT, LISTS, WAIVER
from headersweep.sitevalues import Complaint

MAX_ITEMS = 500
_TESTS = ", ".join(ValueTest)
_ABOUT_EXCEPTIONS = ("waiver.", "baseline.", "switch.")
"""What is wrong with exceptions can be neither waived nor switched off."""


def read(data: dict[str, Any], codes: Collection[str] = ()) -> tuple[dict[str, Any], list[Complaint]]:
    """The expectations, waivers, switches and declarations of a file by the key of a definition, and what is wrong with them.

    ``codes`` are the codes that the review knows; without them any code may stand in a waiver or a switch.
    """
    values: dict[str, Any] = {}
    complaints: list[Complaint] = []
    for name in LISTS:
        if name in data:
            values[name], wrong = _list(name, data[name], codes)
            complaints += wrong
    return values, complaints


def _list(name: str, items: Any, codes: Collection[str]) -> tuple[Any, list[Complaint]]:
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return (), [
            ((name,), f"{name} is a list of tables: write [[{name}]] on a line of its own, its keys below")
        ]
    if len(items) > MAX_ITEMS:
        return (), [((name,), f"there are {len(items):,} [[{name}]]; at most {MAX_ITEMS:,} are allowed")]
    found, complaints = [], []
    for number, item in enumerate(items):
        wrong = sitevalues.wrong_in_table(f"[[{name}]]", item, LISTS[name])
        if not wrong:
            made = _made(name, item, codes)
            wrong = made if isinstance(made, list) else []
            found += [] if isinstance(made, list) else [(number, made)]
        complaints += [((name, str(number), *keys), said) for keys, said in wrong]
    return tuple(made for _, made in found), complaints + _repeated(name, found)


def _made(name: str, item: dict[str, Any], codes: Collection[str]) -> Any:
    """What one right table stands for, or what is wrong with it as a whole."""
    if name == EXPECT:
        return _expectation(item)
    if name == DECLARE:
        return Declaration(**item)
    return _waiver(item, codes) if name == WAIVER else _switch(item, codes)


def _repeated(name: str, found: Iterable[tuple[int, Any]]) -> list[Complaint]:
    """Two of the same name could not be told apart in a report."""
    seen: set[str] = set()
    complaints: list[Complaint] = []
    for number, made in found:
        own = _own_name(made)
        if own in seen:
            complaints.append(((name, str(number)), f"there are two [[{name}]] for {own!r}; one is enough"))
        seen.add(own)
    return complaints


def _own_name(made: Expectation | Waiver | Switch | Declaration) -> str:
    if isinstance(made, Expectation):
        return made.name
    if isinstance(made, Declaration):
        return made.item
    return made.label if isinstance(made, Waiver) else made.what


def _expectation(item: dict[str, Any]) -> Expectation | list[Complaint]:
    tests = [test for test in ValueTest if test in item]
    if len(tests) != 1:
        given = f"both {' and '.join(tests)}" if tests else "none"
        return [((), f"exactly one of {_TESTS} says what is expected of the header; there is {given}")]
    return Expectation.from_json({**item, "header": item["header"].lower()})


def _waiver(item: dict[str, Any], codes: Collection[str]) -> Waiver | list[Complaint]:
    code = item["code"]
    if code.startswith(_ABOUT_EXCEPTIONS):
        return [(("code",), f"{code!r}: what is wrong with a waiver or a baseline is mended, not waived")]
    wrong = _unknown_code(code, codes)
    return [(("code",), wrong)] if wrong else Waiver(**item)


def _switch(item: dict[str, Any], codes: Collection[str]) -> Switch | list[Complaint]:
    what = item["what"]
    if what.startswith(ALERT):
        wrong = _unknown_alert(what.removeprefix(ALERT))
    elif what.startswith(_ABOUT_EXCEPTIONS):
        wrong = f"{what!r}: what is wrong with exceptions is mended, not switched off"
    else:
        wrong = _unknown_code(what, codes)
    return [(("what",), wrong)] if wrong else Switch(**item)


def _unknown_alert(event: str) -> str:
    alerts = [name for name, each in events.CATALOGUE.items() if each.alert]
    return "" if event in alerts else f"no alert hangs on an event {event!r}{_meant(event, alerts)}"


def _unknown_code(code: str, codes: Collection[str]) -> str:
    if not codes or _is_known(code, codes):
        return ""
    return f"no finding has the code {code!r}{_meant(code, codes)}"


def _meant(given: str, known: Iterable[str]) -> str:
    meant = difflib.get_close_matches(given, list(known), n=1)
    return f"; did you mean {meant[0]}?" if meant else ""


def _is_known(code: str, codes: Collection[str]) -> bool:
    if code.endswith(ALL_OF):
        return any(known.startswith(code.removesuffix("*")) for known in codes)
    return code in codes
