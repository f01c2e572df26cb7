"""The catalogue of all rules as a page: docs/checks.md, which a test holds to what this writes."""

from __future__ import annotations

from collections.abc import Iterator

from headersweep.responses import ResponseClass
from review import table
from review.finding import ANY, Rule
from review.table import Check

INTRODUCTION = """\
# Checks

Every kind of finding of the review, written by `headersweep check --catalogue`. The codes are stable. A finding of an `error`
answer counts one level less; answers of a firewall or a challenge (`blocked`) are not judged.

**high**: an attacker gains something by it today. **medium**: a protection is absent or void. **low**: hardening and
hygiene. **info**: facts without a fault, and opinions, which say so."""


def as_markdown() -> str:
    """The page, ending with a line break."""
    parts = [
        INTRODUCTION,
        "\n".join(_overview()),
        *("\n".join(_check(check)) for check in table.CHECKS if check.RULES),
        "\n".join(_others()),
    ]
    return "\n\n".join(parts) + "\n"


def _overview() -> Iterator[str]:
    yield "| code | severity | what it says |"
    yield "| --- | --- | --- |"
    for rule in table.RULES.values():
        yield f"| [`{rule.code}`](#{_anchor(rule.code)}) | {rule.severity} | {_cell(rule.title)} |"


def _check(check: Check) -> Iterator[str]:
    yield f"## {check.__name__.rpartition('.')[2].replace('_', ' ')}"
    if check.EFFECTIVE:
        yield ""
        yield f"Effective values: {', '.join(f'`{name}`' for name in check.EFFECTIVE)}."
    for rule in check.RULES:
        yield ""
        yield from _rule(rule)


def _others() -> Iterator[str]:
    """Rules that no single answer can break."""
    of_answers = {rule.code for check in table.CHECKS for rule in check.RULES}
    yield "## whole runs"
    for rule in table.RULES.values():
        if rule.code not in of_answers:
            yield ""
            yield from _rule(rule)


def _rule(rule: Rule) -> Iterator[str]:
    yield f"### {rule.code}"
    yield ""
    yield f"**{_text(rule.title)}.** {rule.severity}{', an opinion' if rule.opinion else ''}; {_classes(rule.classes)}."
    yield ""
    yield f"- Browser: {_text(rule.browser)}"
    yield f"- Why: {_text(rule.why)}"
    yield f"- Standard: <{rule.link}>"
    yield ""
    yield "```"
    yield rule.fix
    yield "```"


def _classes(classes: frozenset[ResponseClass]) -> str:
    if classes == ANY:
        return "all classes"
    return ", ".join(str(kind) for kind in ResponseClass if kind in classes)


def _anchor(code: str) -> str:
    """The anchor that code hosts make of the heading."""
    return code.replace(".", "")


def _text(text: str) -> str:
    """One line of Markdown; what looks like HTML stays text, also outside of code."""
    pieces = " ".join(text.split()).split("`")
    return "`".join(
        piece if number % 2 else piece.replace("<", "&lt;") for number, piece in enumerate(pieces)
    )


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|")
