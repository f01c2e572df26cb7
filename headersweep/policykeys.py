"""The keys of ``[[expect]]``, ``[[waiver]]``, ``[[switch]]`` and ``[[declare]]`` in a site file, from which docs/site-files.md is written too."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date

from headersweep.policies import ALERT, FINDING_SEVERITIES
from headersweep.responses import ResponseClass
from headersweep.sitekeys import Key, Kind, pattern, said

EXPECT = "expect"
WAIVER = "waiver"
SWITCH = "switch"
DECLARE = "declare"
CLASSES = tuple(str(kind) for kind in ResponseClass if kind is not ResponseClass.BLOCKED)

_HEADER = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,200}")
_CODE = re.compile(r"[a-z][a-z0-9_]*\.(?:[a-z][a-z0-9_]*|\*)")
_ITEM = re.compile(r"(?:site|self)\.[a-z][a-z0-9_]*")
_ANY_TEXT = "any text, not empty"
_PATH_MEANING = "a glob pattern over the path alone, without query: `*` is any run of characters"


def _header(value: str) -> str | None:
    return None if _HEADER.fullmatch(value) else "it is no name of a header, such as content-security-policy"


def _code(value: str) -> str | None:
    if _CODE.fullmatch(value):
        return None
    return "it is no code of a finding, such as csp.unsafe_inline_script, or csp.* for all of a concern"


def _path(value: str) -> str | None:
    if not value.startswith(("/", "*")):
        return "a path begins with / or *"
    return "a path has no query" if "?" in value else pattern(value)


def _one_of(allowed: tuple[str, ...]) -> Callable[[str], str | None]:
    def check(value: str) -> str | None:
        return None if value in allowed else f"allowed are {', '.join(map(json.dumps, allowed))}"

    return check


def _true(value: bool) -> str | None:
    return None if value else "only true makes sense; leave it out otherwise"


def _nothing_to_say(_value: date) -> str | None:
    return None


def _on_or_off(_value: bool) -> str | None:
    return None


def _item(value: str) -> str | None:
    return None if _ITEM.fullmatch(value) else "it is no item of the checklist, such as site.access_logs"


def _switched(value: str) -> str | None:
    if _CODE.fullmatch(value.removeprefix(ALERT)):
        return None
    return (
        "it is neither a code of a finding, such as csp.missing, nor csp.* for all of a concern, "
        f"nor an alert, such as {ALERT}run.stuck"
    )


_VALUE = "a text of one line"

EXPECT_KEYS = (
    Key("expect.name", Kind.TEXT, f"{_ANY_TEXT}; unique in the file", "what the finding is called when it is not met", '"docs-frameable-by-intranet"', said, required=True),
    Key("expect.owner", Kind.TEXT, _ANY_TEXT, "who wants it", '"web team"', said, required=True),
    Key("expect.why", Kind.TEXT, _ANY_TEXT, "why; stands in the finding", '"the intranet shows the docs in a frame"', said, required=True),
    Key("expect.header", Kind.TEXT, "a header's name, in any case", "which header it is about", '"content-security-policy"', _header, required=True),
    Key("expect.path", Kind.TEXT, "a pattern that begins with `/` or `*`", f"{_PATH_MEANING}; without it: every page", '"/docs/*"', _path),
    Key("expect.class", Kind.TEXTS, ", ".join(f'`"{each}"`' for each in CLASSES), "the response classes it is about; without it: all", '["document"]', _one_of(CLASSES)),
    Key("expect.severity", Kind.TEXT, ", ".join(f'`"{each}"`' for each in FINDING_SEVERITIES), "how much it matters when it is not met; `medium` without it", '"medium"', _one_of(FINDING_SEVERITIES)),
    Key("expect.equals", Kind.TEXT, _VALUE, "the lines of the header, joined by a comma and a space, are exactly this", '"DENY"', pattern),
    Key("expect.contains", Kind.TEXT, _VALUE, "this stands somewhere in them", '"frame-ancestors https://intranet.example.com"', pattern),
    Key("expect.matches", Kind.TEXT, _VALUE, "they are this, where `*` is any run of characters", '"*default-src \'none\'*"', pattern),
    Key("expect.absent", Kind.BOOLEAN, "`true`", "the header is not there", "true", _true),
    Key("expect.present", Kind.BOOLEAN, "`true`", "the header is there, with whatever value", "true", _true),
    Key("expect.enabled", Kind.BOOLEAN, "`true`, `false`", "`false`: nothing is expected, and the lines stay for later; `true` without it", "true", _on_or_off),
)  # fmt: skip

WAIVER_KEYS = (
    Key("waiver.code", Kind.TEXT, "a code of a finding, or `concern.*`", "which findings are excused", '"csp.unsafe_inline_style"', _code, required=True),
    Key("waiver.owner", Kind.TEXT, _ANY_TEXT, "who answers for it", '"web team"', said, required=True),
    Key("waiver.reason", Kind.TEXT, _ANY_TEXT, "why it is acceptable for now", '"the old editor needs it until it is replaced"', said, required=True),
    Key("waiver.expires", Kind.DATE, "a day, without quotes", "the last day on which it holds, in UTC", "2027-03-31", _nothing_to_say, required=True),
    Key("waiver.rollback_note", Kind.TEXT, _ANY_TEXT, "what to do when it must not hold any longer", '"switch the old editor off: feature flag legacy_editor"', said, required=True),
    Key("waiver.subject", Kind.TEXT, _VALUE, "only where the finding is about exactly this: a directive, a cookie's name", '"style-src"', pattern),
    Key("waiver.path", Kind.TEXT, "a pattern that begins with `/` or `*`", f"{_PATH_MEANING}; without it: every page", '"/legacy/*"', _path),
    Key("waiver.enabled", Kind.BOOLEAN, "`true`, `false`", "`false`: nothing is excused, and the lines stay for later; `true` without it", "true", _on_or_off),
)  # fmt: skip

SWITCH_KEYS = (
    Key("switch.what", Kind.TEXT, "a code of a finding, `concern.*`, or, in `_all.toml`, `alert:` and an event", "what is switched", '"cookie.samesite_missing"', _switched, required=True),
    Key("switch.enabled", Kind.BOOLEAN, "`true`, `false`", "`false`: it is not looked for; `true`: it is, also where its concern or `_all.toml` says no", "false", _on_or_off, required=True),
    Key("switch.owner", Kind.TEXT, _ANY_TEXT, "who decided that, and answers for it", '"security team"', said, required=True),
    Key("switch.reason", Kind.TEXT, _ANY_TEXT, "why", '"browsers set Lax where nothing is said, and that is what we want"', said, required=True),
)  # fmt: skip

DECLARE_KEYS = (
    Key("declare.item", Kind.TEXT, "an item of the checklist", "what no machine can know", '"site.access_logs"', _item, required=True),
    Key("declare.owner", Kind.TEXT, _ANY_TEXT, "who answers for it", '"operations"', said, required=True),
    Key("declare.until", Kind.DATE, "a day, without quotes", "the last day on which it counts, in UTC; the item fails after that", "2027-03-31", _nothing_to_say, required=True),
    Key("declare.reason", Kind.TEXT, _ANY_TEXT, "how that person knows", '"kept for 90 days by the log pipeline, see its runbook"', said, required=True),
)  # fmt: skip

LISTS = {EXPECT: EXPECT_KEYS, WAIVER: WAIVER_KEYS, SWITCH: SWITCH_KEYS, DECLARE: DECLARE_KEYS}


def key_tables() -> str:
    """The tables of the keys below ``[[expect]]``, ``[[waiver]]``, ``[[switch]]`` and ``[[declare]]``, in Markdown."""
    tables = []
    for keys in LISTS.values():
        rows = ["| key | type | required | allowed | meaning |", "| --- | --- | --- | --- | --- |"]
        rows += [
            f"| `{key.path}` | {key.kind} | {'**yes**' if key.required else 'no'} | {key.allowed} | {key.meaning} |"
            for key in keys
        ]
        tables.append("\n".join(rows) + "\n")
    return "\n".join(tables)


def example() -> str:
    """An expectation, a waiver, a switch and a declaration as they stand in a file, which are themselves right."""
    shown = {"expect.contains"} | {
        key.path for keys in LISTS.values() for key in keys if key.path.split(".")[1] not in _TESTS
    }
    lines: list[str] = []
    for name, keys in LISTS.items():
        lines.append(f"[[{name}]]")
        lines += [f"{key.keys[-1]} = {key.example}" for key in keys if key.path in shown]
        lines.append("")
    return "\n".join(lines)


_TESTS = ("equals", "contains", "matches", "absent", "present")
