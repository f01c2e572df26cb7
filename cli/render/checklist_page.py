"""Both checklists as a page: docs/checklist.md, which a test holds to what this writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cli.explaining.looking import ASKS
from cli.selfcheck import table
from headersweep.checklist import Area, Item
from review import hardening

INTRODUCTION = """\
# Checklists

`headersweep checklist SITE` goes through what a site needs to be hardened: permissions, secrets, headers, upload limits, logging.
`headersweep checklist --self` does the same for the deployment of headersweep itself, as seen from where it is typed. Each line has a
name, what was looked at, the evidence, a verdict, an owner, what is expected, and how to undo the fix.

| verdict | meaning |
| --- | --- |
| `ok` | a machine looked, and it is as expected; what somebody waived is named |
| `fail` | a machine looked, and it is not; or a declaration is over |
| `unknown` | no machine can know, or none may look: nobody asked for the probes, a switch hides it, or a server gave no answer |
| `declared` | no machine knows, and somebody answers for it until a day |

What is unknown is declared with `[[declare]]` ([site files](site-files.md#what-machines-cannot-know)): items of a site in its file, those of the
deployment in `_all.toml`. Nobody can declare away what a machine saw: a declaration counts only where the verdict is unknown, through its last
day in UTC, and fails the item after that. To accept a fault for a time, give the finding a `[[waiver]]`. Evidence never holds a secret.

`--fail-on fail` exits with 3 where an item fails, `--fail-on unknown` also where nobody knows about one. Every item and every probe is explained by
`headersweep explain NAME`. This page is written from the items themselves."""

OF_SITES = """\
## Of a site

What the newest run of the site that is over shows, under the policy that it carries. Nothing is asked of the site by this command: what needs requests
beyond its pages was asked after the run, and only if the site's file says so in `[probes]`. To look again, sweep the site."""

OF_ITSELF = """\
## Of headersweep itself

Looked at now, by the account that types it, with that account's `HEADERSWEEP_` variables, on this machine alone: run it where workers run, and as an account that
can see them. It connects to Postgres and to the broker as configured, and once to each without the password. It changes nothing."""

PROBES = """\
## Probes

Requests beyond the pages of a run. Each kind is off unless the site's file switches it on ([probes](site-files.md#probes)).

| kind | for the item | asks, at the most, after one run |
| --- | --- | --- |"""


def as_markdown() -> str:
    """The page, ending with a line break."""
    probes = [f"| `{kind}` | `{name}` | {_cell(ASKS[kind])} |" for name, kind in hardening.PROBED_BY.items()]
    parts = [
        INTRODUCTION,
        OF_SITES,
        *_areas(hardening.ITEMS.values()),
        "\n".join([PROBES, *probes]),
        OF_ITSELF,
        *_areas(table.ITEMS.values()),
    ]
    return "\n\n".join(parts) + "\n"


def _areas(items: Iterable[Item]) -> Iterator[str]:
    found = list(items)
    for area in Area:
        members = [item for item in found if item.area is area]
        if members:
            yield "\n".join(_table(area, members))


def _table(area: Area, items: Iterable[Item]) -> Iterator[str]:
    yield f"**{area.capitalize()}**"
    yield ""
    yield "| item | looked at | expected | fix | rollback |"
    yield "| --- | --- | --- | --- | --- |"
    for item in items:
        cells = (item.looks_at, item.expected, item.fix, item.rollback)
        yield f"| {_cell(item.title)} (`{item.name}`) | {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("*", "\\*")
