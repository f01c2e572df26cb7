"""``headersweep check``: judge headers that are at hand; no database, no network, and nothing heavy is imported."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TextIO

import click

from cli import options

if TYPE_CHECKING:
    from headersweep.bodyfacts import BodyFacts
    from review.inputs import Answer
    from review.preload import PreloadList
    from review.single import Verdict

ALGORITHMS = ("6", "5", "4")
HINT = "run the command again"
SOMEWHERE = "https://page.invalid/"
"""Where a page is taken to be whose address nobody said, so that its relative URLs are its own."""


@click.command(short_help="Judge a header block, curl's output, a HAR file or JSON lines, offline.")
@click.argument("file", default="-", metavar="[FILE|-]")
@click.option(
    "--url", default="", metavar="URL", help="The address that was asked; without it https is assumed."
)
@click.option(
    "--status", type=click.IntRange(100, 999), metavar="N", help="The status, where the input has none."
)
@click.option("--jsonl", is_flag=True, help="Read JSON lines, write one result line for each.")
@click.option("--har", is_flag=True, help="Read a HAR file, and judge each of its answers.")
@options.as_format
@click.option(
    "--fail-on",
    type=click.Choice(["none", *options.SEVERITIES]),
    default="none",
    show_default=True,
    help="Exit with 3 when there is a finding at least that severe.",
)
@click.option(
    "--algorithm",
    type=click.Choice(ALGORITHMS),
    default=ALGORITHMS[0],
    show_default=True,
    help="The version of the MDN Observatory's grade.",
)
@click.option(
    "--preload-list",
    envvar="HEADERSWEEP_PRELOAD_LIST",
    default="",
    metavar="FILE",
    help="Chromium's HSTS preload list; without it nothing is said about it.",
)
@click.option(
    "--catalogue", is_flag=True, help="Print all rules as Markdown (docs/checks.md), and judge nothing."
)
@options.to_file
def check(  # noqa: PLR0913, PLR0917 - one parameter a flag
    file: str,
    url: str,
    status: int | None,
    jsonl: bool,
    har: bool,
    shape: str,
    fail_on: str,
    algorithm: str,
    preload_list: str,
    catalogue: bool,
    output: str | None,
) -> None:
    """Judge the headers in FILE, or on stdin: a header block, what `curl -sI` or `curl -sD-` print, HAR, or JSON lines.

    Where redirects were followed, the last answer is judged. Nothing is fetched, and nothing is kept.
    """
    from cli import output as output_module

    _refuse_nonsense(url, status, jsonl=jsonl, har=har)
    output_module.check(output)
    if catalogue:
        from review import docs

        output_module.emit(docs.as_markdown().rstrip("\n"), output, HINT)
        return
    rules = _Rules(int(algorithm), _preload_list(preload_list))
    with _opened(file) as source:
        if jsonl:
            with output_module.writing(output, HINT) as stream:
                code = _lines(source, stream, rules, fail_on)
        else:
            answers, several = _answers(source.read(), url, status, har=har)
            verdicts = [_judged(answer, rules) for answer in answers]
            output_module.emit(_rendered(verdicts, shape, several=several), output, HINT)
            code = _exit_code(verdicts, fail_on)
    sys.exit(code)


def _refuse_nonsense(url: str, status: int | None, *, jsonl: bool, har: bool) -> None:
    from headersweep.errors import UsageError
    from review.grades import scan

    if jsonl and har:
        raise UsageError("--jsonl and --har exclude each other")
    if (jsonl or har) and (url or status):
        raise UsageError("--url and --status are for a header block: JSON lines and HAR files have their own")
    if url and (scan.scheme_of(url) not in {"http", "https"} or not scan.host_of(url)):
        raise UsageError(f"--url {url} is no http(s) URL")


def _opened(file: str) -> BinaryIO:
    from headersweep.errors import UsageError

    if file == "-":
        if sys.stdin.isatty():
            click.echo(
                "Paste the headers, then press Ctrl-D (or pipe them: curl -sI URL | headersweep check).",
                err=True,
            )
        return sys.stdin.buffer
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error


def _answers(data: bytes, url: str, status: int | None, *, har: bool) -> tuple[Sequence[Answer], bool]:
    """The answers in the input, and whether its kind may hold several."""
    from headersweep.errors import UsageError
    from review import inputs

    try:
        if har or inputs.looks_like_har(data):
            return inputs.har(data), True
        return [inputs.block(data, url, status)], False
    except inputs.UnreadableError as error:
        raise UsageError(f"the input cannot be judged: {error}") from error


class _Rules(NamedTuple):
    """By what answers are judged, beside the rules themselves."""

    algorithm: int
    preload_list: PreloadList | None


def _preload_list(path: str) -> PreloadList | None:
    from cli import preloading

    return preloading.given(path) if path else None


def _judged(answer: Answer, rules: _Rules) -> Verdict:
    from review import single

    return single.verdict(answer, _facts(answer), rules.algorithm, rules.preload_list)


def _facts(answer: Answer) -> BodyFacts | None:
    """What the body says, where there is one and it can be a document."""
    from headersweep import responses
    from headersweep.responses import ResponseClass

    kind = responses.classify(answer.status, answer.pairs)
    if answer.body is None or kind not in {
        ResponseClass.DOCUMENT,
        ResponseClass.ERROR,
        ResponseClass.BLOCKED,
    }:
        return None
    try:
        bodyread = importlib.import_module("headersweep.bodyread")
    except ImportError:
        return None
    facts: BodyFacts = bodyread.read(answer.body, answer.url or SOMEWHERE, answer.charset)
    return facts


def _rendered(verdicts: Sequence[Verdict], shape: str, *, several: bool) -> str:
    from cli.render import checked

    if shape == "text":
        return checked.as_text(verdicts)
    return checked.as_json_list(verdicts) if several else checked.as_json(verdicts[0])


def _lines(source: BinaryIO, stream: TextIO, rules: _Rules, fail_on: str) -> int:
    """One result line for each line of input, in its order, as soon as it is known."""
    from cli.render import checked
    from headersweep.errors import ExitCode
    from review import inputs

    code = 0
    for number, line in enumerate(source, 1):
        if not line.strip():
            continue
        try:
            verdict = _judged(inputs.json_line(line), rules)
        except inputs.UnreadableError as error:
            code = int(ExitCode.USAGE)
            result = checked.as_error_line(number, inputs.id_of(line), str(error))
        else:
            code = code or _exit_code([verdict], fail_on)
            result = checked.as_line(verdict)
        stream.write(f"{result}\n")
        stream.flush()
    return code


def _exit_code(verdicts: Iterable[Verdict], fail_on: str) -> int:
    from headersweep.errors import ExitCode
    from review.finding import Severity

    if fail_on == "none":
        return int(ExitCode.DONE)
    worst = [verdict.worst() for verdict in verdicts]
    limit = Severity(fail_on).rank
    return int(ExitCode.FINDINGS if any(one and one.rank >= limit for one in worst) else ExitCode.DONE)
