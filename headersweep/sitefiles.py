"""Site files: ``sites/*.toml``, one a site, written by the people who own it. docs/site-files.md lists the keys.

Whatever is wrong in any of the files is found in one go, each mistake with its file, its line and what is
allowed there; and as long as there is one, there is no result that anybody could apply by halves.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headersweep import cachefiles, policies, policyfiles, sitekeys, sitelines, sitevalues
from headersweep.cachekeys import CACHE
from headersweep.checklist import Declaration
from headersweep.definition import UNLIMITED_RATE, CatchUp, Overlap, SiteDefinition
from headersweep.errors import ConfigurationError, Mistake, SiteFileError
from headersweep.policies import ALERT, Switch
from headersweep.policykeys import DECLARE, LISTS, SWITCH
from headersweep.sitekeys import ALIASES, BY_PATH, KEYS, TABLES, Kind
from headersweep.sitevalues import Complaint

TABLE_LISTS = (*LISTS, CACHE)
"""The names of lists of tables."""

MAX_FILE_BYTES = 1_048_576
EVERYWHERE = "_all.toml"
"""The file beside the site files that holds what is switched for every site; it is no site."""
OF_THE_DEPLOYMENT = "self."
"""Begins the items of the checklist that are about headersweep itself."""
_SYNTAX_POSITION = re.compile(r" \((?:at line (\d+), column \d+|at end of document)\)$")


@dataclass(frozen=True)
class SiteFile:
    """A site as its file describes it."""

    definition: SiteDefinition
    path: str


@dataclass(frozen=True)
class Everywhere:
    """What holds for every site of a folder, and what somebody declares of the deployment itself."""

    switches: tuple[Switch, ...] = ()
    declarations: tuple[Declaration, ...] = ()


def load(folder: Path, codes: Collection[str] = ()) -> list[SiteFile]:
    """All sites of a folder, by name; SiteFileError with every mistake of every file, or all are right.

    ``codes`` are the findings that the review knows: a waiver for any other is a mistake.
    """
    found: list[SiteFile] = []
    names: list[tuple[str, str, int]] = []
    shared, mistakes = _everywhere(folder / EVERYWHERE, codes)
    for path in _paths(folder):
        draft = _read(path, codes)
        mistakes += draft.mistakes
        names += draft.names
        found += draft.files
    mistakes += _duplicates(names)
    if mistakes:
        raise SiteFileError(mistakes)
    return sorted(
        (with_switches(file, shared.switches) for file in found), key=lambda file: file.definition.name
    )


def load_file(path: Path, codes: Collection[str] = ()) -> SiteFile:
    """The site of one file, with what is switched beside it; SiteFileError with every mistake in either."""
    shared = everywhere(path.parent, codes)
    return with_switches(_checked(_read(path, codes)), shared.switches)


def everywhere(folder: Path, codes: Collection[str] = ()) -> Everywhere:
    """What a folder's ``_all.toml`` says; nothing without that file. SiteFileError with every mistake in it."""
    shared, mistakes = _everywhere(folder / EVERYWHERE, codes)
    if mistakes:
        raise SiteFileError(mistakes)
    return shared


def with_switches(file: SiteFile, switches: Iterable[Switch]) -> SiteFile:
    """The site with what is switched for every site, where its own file says nothing about that."""
    switched = policies.merged(file.definition.switch, of_sites(switches))
    return replace(file, definition=replace(file.definition, switch=switched))


def of_sites(switches: Iterable[Switch]) -> tuple[Switch, ...]:
    """Those that a site carries along; alerts belong to no site."""
    return tuple(switch for switch in switches if not switch.what.startswith(ALERT))


def parse(path: str | Path, text: str, codes: Collection[str] = ()) -> SiteFile:
    """The site that the text of a file describes; SiteFileError with every mistake in it."""
    return _checked(_draft(str(path), text, codes))


@dataclass(frozen=True)
class _Draft:
    """What one file came to: its mistakes, the name it claims (and on which line), and the site if all is right."""

    mistakes: tuple[Mistake, ...]
    names: tuple[tuple[str, str, int], ...] = ()
    files: tuple[SiteFile, ...] = ()


def _checked(draft: _Draft) -> SiteFile:
    if draft.mistakes:
        raise SiteFileError(list(draft.mistakes))
    return draft.files[0]


def _paths(folder: Path) -> list[Path]:
    try:
        names = [
            path
            for path in folder.iterdir()
            if path.suffix == ".toml" and path.name[0] != "." and path.name != EVERYWHERE
        ]
    except OSError as error:
        raise ConfigurationError(
            f"cannot read the folder of site files {folder}: {error.strerror}"
        ) from error
    if not names:
        raise ConfigurationError(f"no site file (*.toml) in {folder}; docs/site-files.md shows one")
    return sorted(names)


def _read(path: Path, codes: Collection[str]) -> _Draft:
    try:
        text = _text(path)
    except SiteFileError as error:
        return _Draft(tuple(error.mistakes))
    return _draft(str(path), text, codes)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise _refused(str(path), 1, f"cannot read the file: {error.strerror}") from error
    if len(content) > MAX_FILE_BYTES:
        raise _refused(str(path), 1, f"the file is larger than {MAX_FILE_BYTES:,} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refused(str(path), line, "the file is not UTF-8 text") from error


def _refused(path: str, line: int, message: str) -> SiteFileError:
    return SiteFileError([Mistake(path, line, message)])


def _toml(path: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:  # tomllib's own error, and Python's on integers of thousands of digits
        raise _refused(path, *_syntax_mistake(str(error), text)) from error
    except RecursionError as error:
        raise _refused(path, 1, "not TOML we can read: brackets are nested too deeply") from error


def _everywhere(path: Path, codes: Collection[str]) -> tuple[Everywhere, list[Mistake]]:
    """What holds for every site and for the deployment, and every mistake there."""
    if not path.exists():
        return Everywhere(), []
    try:
        text = _text(path)
        data = _toml(str(path), text)
    except SiteFileError as error:
        return Everywhere(), error.mistakes
    allowed = (SWITCH, DECLARE)
    said = (
        f"only [[{SWITCH}]] and [[{DECLARE}]] stand in {EVERYWHERE}; the rest belongs into the file of a site"
    )
    complaints: list[Complaint] = [((key,), said) for key in data if key not in allowed]
    values, wrong = policyfiles.read({key: data[key] for key in data if key in allowed}, codes)
    complaints += wrong + _of_sites(values)
    lines = sitelines.find_lines(text)
    mistakes = [Mistake(str(path), sitelines.line_of(lines, keys), each) for keys, each in complaints]
    found = Everywhere(values.get(SWITCH, ()), values.get(DECLARE, ()))
    return found, sorted(mistakes, key=lambda mistake: mistake.line)


def _of_sites(values: dict[str, Any]) -> list[Complaint]:
    return [
        (
            (DECLARE, str(number), "item"),
            f"{one.item!r}: what is about one site is declared in the file of that site",
        )
        for number, one in enumerate(values.get(DECLARE, ()))
        if not one.item.startswith(OF_THE_DEPLOYMENT)
    ]


def _draft(path: str, text: str, codes: Collection[str]) -> _Draft:
    try:
        data = _toml(path, text)
    except SiteFileError as error:
        return _Draft(tuple(error.mistakes))
    lines = sitelines.find_lines(text)
    values, complaints = _values(data, codes)
    mistakes = [Mistake(path, sitelines.line_of(lines, keys), message) for keys, message in complaints]
    name = values.get("name")
    claimed = ((name, path, sitelines.line_of(lines, ("name",))),) if isinstance(name, str) else ()
    if mistakes:
        return _Draft(tuple(sorted(mistakes, key=lambda mistake: mistake.line)), claimed)
    return _Draft((), claimed, (SiteFile(_definition(values), path),))


def _syntax_mistake(message: str, text: str) -> tuple[int, str]:
    position = _SYNTAX_POSITION.search(message)
    line = text.count("\n") + 1
    if position and position[1]:
        line = int(position[1])
    return line, f"not TOML: {message}"


def _duplicates(names: Iterable[tuple[str, str, int]]) -> list[Mistake]:
    first: dict[str, str] = {}
    mistakes = []
    for name, path, line in names:
        if name in first:
            message = f"the name {name!r} is taken by {first[name]}; every site needs a name of its own"
            mistakes.append(Mistake(path, line, message))
        first.setdefault(name, path)
    return mistakes


# --- from TOML to values ----------------------------------------------------------------------------------------


def _values(data: dict[str, Any], codes: Collection[str]) -> tuple[dict[str, Any], list[Complaint]]:
    """The right values by the path of their key, and what is wrong with the others."""
    flat, complaints = _flat({name: value for name, value in data.items() if name not in TABLE_LISTS})
    values, wrong = policyfiles.read(data, codes)
    rules, wrong_rules = cachefiles.read(data)
    values |= rules
    complaints += wrong + wrong_rules
    for key in KEYS:
        if key.path not in flat:
            if key.required:
                complaints.append(
                    ((), f"{key.path} is missing; {key.meaning}, as in: {key.path} = {key.example}")
                )
            continue
        said = sitevalues.wrong(key, flat[key.path])
        complaints += said
        if not said:
            values[key.path] = flat[key.path]
    return values, complaints + _wrong_together(values)


def _flat(data: dict[str, Any]) -> tuple[dict[str, Any], list[Complaint]]:
    """The values of known keys by path, and a complaint about each unknown one."""
    flat: dict[str, Any] = {}
    complaints: list[Complaint] = []
    for name, value in data.items():
        if name in TABLES and isinstance(value, dict):
            for inner, inner_value in value.items():
                flat[f"{name}.{inner}"] = inner_value
        elif "." in name:
            complaints.append(((name,), _unknown(name)))
        elif name in TABLES:
            complaints.append(
                ((name,), f"{name} is a table: write [{name}] on a line of its own, its keys below")
            )
        else:
            flat[name] = value
    complaints += [(tuple(path.split(".", 1)), _unknown(path)) for path in flat if path not in BY_PATH]
    return {path: value for path, value in flat.items() if path in BY_PATH}, complaints


def _unknown(path: str) -> str:
    """What to say about a key that does not exist: where it belongs, or which one was probably meant."""
    table, _, name = path.partition(".")
    table, name = (table, name) if table in TABLES else ("", path)
    others = [key.table for key in KEYS if key.keys[-1] == name and path not in BY_PATH]
    if others:
        place = f"below [{others[0]}]" if others[0] else f"above [{table}]"
        return f"{name} does not belong here; it stands {place}"
    siblings = [key.keys[-1] for key in KEYS if key.table == table]
    siblings += [] if table else TABLE_LISTS
    meant = difflib.get_close_matches(name.lower(), siblings, n=1) or [
        alias for alias in [ALIASES.get(name.lower(), "")] if alias in siblings
    ]
    hint = f"; did you mean {meant[0]}?" if meant else ""
    allowed = ", ".join(siblings if table else [*siblings, *(f"[{each}]" for each in TABLES)])
    return f"unknown key {path!r}{hint} (allowed: {allowed})"


def _wrong_together(values: dict[str, Any]) -> list[Complaint]:
    """What is wrong with values that are right by themselves."""
    return _wrong_rates(values) + _wrong_policies(values) + _of_no_site(values)


def _of_no_site(values: dict[str, Any]) -> list[Complaint]:
    alerts = f"alerts belong to no site; switch them in {EVERYWHERE}"
    deployment = f"what is about the deployment itself is declared in {EVERYWHERE}"
    wrong: list[Complaint] = [
        ((SWITCH, str(number), "what"), f"{switch.what!r}: {alerts}")
        for number, switch in enumerate(values.get(SWITCH, ()))
        if switch.what.startswith(ALERT)
    ]
    return wrong + [
        ((DECLARE, str(number), "item"), f"{one.item!r}: {deployment}")
        for number, one in enumerate(values.get(DECLARE, ()))
        if one.item.startswith(OF_THE_DEPLOYMENT)
    ]


def _wrong_policies(values: dict[str, Any]) -> list[Complaint]:
    if values.get("catch_up") == CatchUp.ALL and values.get("overlap") == Overlap.CANCEL:
        said = 'overlap = "cancel" does not go with catch_up = "all": each slot would cancel the one before'
        return [(("overlap",), f'{said}; use catch_up = "last", or overlap = "queue"')]
    return []


def _wrong_rates(values: dict[str, Any]) -> list[Complaint]:
    rate, max_rate = values.get("rate"), values.get("max_rate")
    if rate is None or max_rate is None or max_rate == UNLIMITED_RATE:
        return []
    if rate == UNLIMITED_RATE or rate > max_rate:
        said = "no delay at all" if rate == UNLIMITED_RATE else f"{rate:g} requests a second"
        return [(("max_rate",), f"max_rate = {max_rate:g} is below rate, which asks for {said}")]
    return []


def _definition(values: dict[str, Any]) -> SiteDefinition:
    """The definition that right values make; what is not given keeps its default."""
    values = _with_both_rates(values)
    top = {path: _converted(path, value) for path, value in values.items() if "." not in path}
    inner: dict[str, dict[str, Any]] = {table: {} for table in TABLES}
    for path, value in values.items():
        table, _, name = path.rpartition(".")
        if table:
            inner[table][name] = _converted(path, value)
    return SiteDefinition(**top, **{table: TABLES[table](**inner[table]) for table in TABLES})


def _with_both_rates(values: dict[str, Any]) -> dict[str, Any]:
    """A rate given alone is also the ceiling; a ceiling given alone also holds for the start."""
    if "rate" in values:
        return {**values, "max_rate": values.get("max_rate", values["rate"])}
    if "max_rate" in values and values["max_rate"] != UNLIMITED_RATE:
        return {**values, "rate": min(sitekeys.default_of(BY_PATH["rate"]), values["max_rate"])}
    return values


def _converted(path: str, value: Any) -> Any:
    if path in TABLE_LISTS:
        return value
    kind = BY_PATH[path].kind
    if path in sitekeys.ENUMS:
        return sitekeys.ENUMS[path](value)
    if kind is Kind.TEXTS:
        return tuple(value)
    return float(value) if kind is Kind.NUMBER else value
