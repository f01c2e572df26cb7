"""``headersweep explain``: what something is, why, how to switch it off, and where it stands in the code."""

from __future__ import annotations

import click

from cli import options


@click.command(
    short_help="Say what a finding, event, setting, state, table ... is, and how to switch it off."
)
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="List everything that has a name.")
@click.option("--off", is_flag=True, help="List everything that is switched off, by whom and why.")
@options.as_format
def explain(name: str | None, *, every: bool, off: bool, shape: str) -> None:
    """Explain NAME in a few sentences: what it is, why, how to switch it off, and where it stands in the code.

    NAME is a finding (csp.missing), a concern (csp), an event, an alert, a setting, a state, an outcome, a table, a task,
    a command, an exit code, an item of a checklist, a probe, a key of a site file, a site, or what its file gives a
    name. What has several meanings is explained in all of them; `outcome:failed` asks for one. Needs neither a database nor a network.
    """
    from cli import context, output, results
    from cli.explaining import index
    from cli.render import explained
    from headersweep.errors import UsageError

    if sum((name is not None, every, off)) != 1:
        raise UsageError("explain takes a name, as in `headersweep explain csp.missing`, or --all, or --off")
    known = index.everything(context.settings().sites)
    if name is not None:
        found = index.find(known, name)
        rendered = explained.as_text(found, results.terminal_width(None))
    else:
        found = known if every else [one for one in known if not one.enabled]
        rendered = explained.names(found) if every else explained.switched_off(found)
    output.emit(explained.as_json(found) if shape == "json" else rendered)
