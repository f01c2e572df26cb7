"""Verdicts on single answers, for people and for scripts. Light: nothing of this may slow down the start."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cli.render import words
from review import single, table
from review.finding import Finding
from review.grades.mdn import Grade
from review.inputs import Answer
from review.single import Verdict

SCHEMA_VERSION = 1


def as_json(verdict: Verdict) -> str:
    """One object for one answer."""
    return _document(verdict.as_json(), indent=2)


def as_json_list(verdicts: Sequence[Verdict]) -> str:
    """One object with one verdict for each answer of a HAR file."""
    found = [{**_about(verdict.answer), **verdict.as_json()} for verdict in verdicts]
    return _document({"answers": found}, indent=2)


def as_line(verdict: Verdict) -> str:
    """One result line for one line of input."""
    return _document({"id": verdict.answer.id, **verdict.as_json()}, version=False)


def as_error_line(number: int, identity: Any, message: str) -> str:
    """The result line for a line of input that cannot be judged."""
    return _document({"id": identity, "line": number, "error": message}, version=False)


def _about(answer: Answer) -> dict[str, Any]:
    return {"url": answer.url, "status": answer.status}


def _document(content: dict[str, Any], *, version: bool = True, indent: int | None = None) -> str:
    # ASCII alone: header bytes and halves of surrogate pairs must get through every terminal and pipe.
    head = {"schema_version": SCHEMA_VERSION} if version else {}
    return json.dumps({**head, **content}, indent=indent)


def as_text(verdicts: Sequence[Verdict]) -> str:
    """Each answer with its findings, the worst first, and the fix to copy."""
    texts = ["\n".join(_answer(verdict)).rstrip("\n") for verdict in verdicts]
    return "\n\n\n".join(texts) or "There are no answers in it."


def _answer(verdict: Verdict) -> Iterator[str]:
    answer, judgement = verdict.answer, verdict.judgement
    for hop in answer.chain:
        yield words.safe(f"{hop.status} {hop.url}".rstrip())
    yield words.safe(f"{answer.status} {answer.url}".rstrip() + f", judged as: {judgement.response_class}")
    yield _grade(verdict.grade)
    if not judgement.judged:
        yield ""
        yield "Not judged: a firewall or a challenge answered in the site's place."
    elif not judgement.findings:
        yield ""
        yield "Nothing found."
    for finding in judgement.findings:
        yield ""
        yield from _finding(finding)
    yield ""
    yield from _effective(verdict.effective)
    if verdict.preload is not None:
        yield ""
        yield _preload(verdict.preload)


def _grade(grade: Grade) -> str:
    if grade.grade is None:
        return f"MDN Observatory (algorithm {grade.algorithm}): {'; '.join(grade.assumed)}"
    return f"MDN Observatory (algorithm {grade.algorithm}): {grade.grade}, {grade.score}"


def _finding(finding: Finding) -> Iterator[str]:
    rule = table.RULES[finding.code]
    subject = f" ({words.safe(finding.subject)})" if finding.subject else ""
    yield f"{str(finding.severity).upper():<6}  {rule.title}{subject}  [{finding.code}]"
    for line in single.shown(finding.evidence).splitlines():
        yield f"        received: {words.safe(line)}"
    if finding.detail:
        yield f"        exactly:  {words.safe(finding.detail)}"
    yield f"        browser:  {rule.browser}"
    yield f"        why:      {rule.why}"
    first, *more = rule.fix.splitlines()
    yield f"        fix:      {first}"
    yield from (f"                  {line}" for line in more)
    yield f"        see:      {rule.link}"


def _preload(said: Mapping[str, Any]) -> str:
    listed = f"listed by {words.safe(said['entry'])}" if said["listed"] else "not listed"
    return f"HSTS preload list of {said['as_of']}, {words.number(said['hosts'])} hosts: {listed}"


def _effective(effective: dict[str, Any]) -> Iterator[str]:
    if effective:
        yield "What a browser makes of it"
    for name, value in effective.items():
        read = "ignored" if value is None else json.dumps(value)
        yield f"  {words.safe(name)}: {read}"
