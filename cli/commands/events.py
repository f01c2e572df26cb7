"""``headersweep events``: the catalogue of log events."""

from __future__ import annotations

import click

from cli import options


@click.command(short_help="Print the catalogue of log events.")
@options.as_page
@options.to_file
def events(shape: str, output: str | None) -> None:
    """Print every log event with its level, its fields, what it means, and the alert that uses it."""
    from cli import output as output_module
    from cli.render import catalogue
    from headersweep import events as events_module

    output_module.check(output)
    if shape == "md":
        output_module.emit(events_module.as_markdown().rstrip("\n"), output)
    else:
        render = catalogue.as_json if shape == "json" else catalogue.as_text
        output_module.emit(render(events_module.CATALOGUE, _switched_off()), output)


def _switched_off() -> dict[str, str]:
    """The events whose alert nobody wants, with who decided that and why."""
    from pathlib import Path

    from cli import context
    from headersweep import sitefiles
    from headersweep.policies import ALERT

    switches = sitefiles.everywhere(Path(context.settings().sites)).switches
    return {
        switch.what.removeprefix(ALERT): f"{switch.owner}: {switch.reason}"
        for switch in switches
        if switch.what.startswith(ALERT) and not switch.enabled
    }
