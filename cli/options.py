"""Flags that several commands share, spelt and explained once."""

from __future__ import annotations

from dataclasses import dataclass

import click

SEVERITIES = ("info", "low", "medium", "high")
FAIL_ON = ("none", *SEVERITIES, "drift")

as_format = click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print the result.",
)
as_page = click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "json", "md"]),
    default="text",
    show_default=True,
    help="How to print the result.",
)
to_file = click.option("--output", metavar="FILE", help="Write the result to FILE, whole or not at all.")
fail_on = click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    default="none",
    show_default=True,
    help="Exit with 3 when there is drift, or a finding at least that severe.",
)
no_wait = click.option("--no-wait", is_flag=True, help="Return as soon as the work is planned.")
workers = click.option(
    "--workers", type=click.IntRange(min=1, max=64), metavar="N", help="Worker processes to start."
)
reason = click.option("--reason", default="", metavar="TEXT", help="Why; kept in the record.")
limit = click.option(
    "--limit", type=click.IntRange(min=1, max=10_000), default=20, show_default=True, help="How many at most."
)


@dataclass(frozen=True)
class Presentation:
    """How a command's result is to be shown, and what makes it fail."""

    shape: str = "text"
    output: str | None = None
    fail_on: str = "none"
