"""Reading ``[[cache]]`` of a site file; every mistake in any of the rules at once, contradictions between them too."""

from __future__ import annotations

from typing import Any

from headersweep import cachekeys, cachestatics, durations, sitevalues
from headersweep.cachekeys import BYPASS, CACHE, EXPECT, HEADS, MATCH, TABLES
from headersweep.cacherules import ANY, METHODS, Bypass, CacheRule, Condition, Expected, Match, Shared
from headersweep.sitevalues import Complaint

MAX_RULES = 200
_SUBTABLES = (MATCH, EXPECT, BYPASS)


def read(data: dict[str, Any]) -> tuple[dict[str, Any], list[Complaint]]:
    """The cache rules of a file by the key of a definition, and what is wrong with them."""
    items = data.get(CACHE)
    if items is None:
        return {}, []
    if not _is_tables(items):
        return {}, [((CACHE,), _no_tables(HEADS[""]))]
    if len(items) > MAX_RULES:
        return {}, [((CACHE,), f"there are {len(items):,} {HEADS['']}; at most {MAX_RULES} are allowed")]
    complaints = [
        ((CACHE, str(number), *path), said)
        for number, item in enumerate(items)
        for path, said in _wrong_by_itself(item)
    ]
    if complaints:
        return {}, complaints
    rules = tuple(map(_rule, items))
    return {CACHE: rules}, cachestatics.complaints(rules, _start_url(data))


def _start_url(data: dict[str, Any]) -> str:
    """The start URL by which examples are read; what is wrong with it is said elsewhere."""
    found = data.get("start_urls")
    return str(found[0]) if isinstance(found, list) and found else ""


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _no_tables(head: str) -> str:
    name = head.strip("[]").rpartition(".")[2]
    return f"{name} is a list of tables: write {head} on a line of its own, its keys below"


# --- one rule by itself ------------------------------------------------------------------------------------------


def _wrong_by_itself(item: dict[str, Any]) -> list[Complaint]:
    complaints = [
        (path, _misplaced(path, said))
        for path, said in sitevalues.wrong_in_table(HEADS[""], item, TABLES[""], _SUBTABLES)
    ]
    for name in (MATCH, EXPECT):
        complaints += _wrong_subtable(name, item.get(name, {}))
    bypasses = item.get(BYPASS, [])
    if not _is_tables(bypasses):
        return [*complaints, ((BYPASS,), _no_tables(HEADS[BYPASS]))]
    return complaints + [
        ((BYPASS, str(number), *path), said)
        for number, bypass in enumerate(bypasses)
        for path, said in _wrong_bypass(bypass)
    ]


def _misplaced(path: tuple[str, ...], said: str) -> str:
    """Where a key belongs that stands directly in the rule."""
    for name in (MATCH, EXPECT):
        if said.startswith("unknown key") and path[0] in {key.keys[-1] for key in TABLES[name]}:
            return f"unknown key {path[0]!r} in {HEADS['']}; write {name}.{path[0]} = ..."
    return said


def _wrong_subtable(name: str, table: Any) -> list[Complaint]:
    if not isinstance(table, dict):
        key = TABLES[name][0]
        return [((name,), f"{HEADS[name]} is a table, as in: {'.'.join(key.keys[1:])} = {key.example}")]
    return [
        ((name, *path), said) for path, said in sitevalues.wrong_in_table(HEADS[name], table, TABLES[name])
    ]


def _wrong_bypass(item: dict[str, Any]) -> list[Complaint]:
    complaints = sitevalues.wrong_in_table(HEADS[BYPASS], item, TABLES[BYPASS])
    given = [each for each in Condition if each in item]
    if len(given) != 1:
        there_is = f"both {' and '.join(given)}" if given else "none"
        complaints.append(
            ((), f"exactly one of {', '.join(Condition)} says when to bypass; there is {there_is}")
        )
    return complaints


# --- from right values to rules ----------------------------------------------------------------------------------


def _rule(item: dict[str, Any]) -> CacheRule:
    own = {key.keys[-1] for key in cachekeys.RULE_KEYS}
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in item.items() if key in own
    }
    return CacheRule(
        **values,
        match=_match(item.get(MATCH, {})),
        expect=_expected(item[EXPECT]),
        bypass=tuple(map(Bypass.from_json, item.get(BYPASS, []))),
    )


def _match(table: dict[str, Any]) -> Match:
    query = table.get("query")
    return Match(
        table.get("host", ANY),
        table.get("path", ANY),
        tuple(table.get("methods", METHODS)) or METHODS,
        None if query is None else tuple(query),
    )


def _expected(table: dict[str, Any]) -> Expected:
    vary = table.get("vary")
    return Expected(
        Shared(table["shared"]),
        _seconds(table.get("min_lifetime")),
        _seconds(table.get("max_lifetime")),
        None if vary is None else tuple(name.lower() for name in vary),
        table.get("set_cookie", False),
    )


def _seconds(text: str | None) -> int | None:
    return None if text is None else int(durations.parse(text).total_seconds())
