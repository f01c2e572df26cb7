"""Finding what somebody asks about: by name, or by kind and name; with what was probably meant where there is nothing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

from cli.explaining import findings, looking, owned, program
from cli.explaining.explanation import Explanation
from headersweep import sitefiles
from headersweep.errors import UsageError
from review import table


def everything(folder: str) -> list[Explanation]:
    """Everything that can be explained, with what the folder of site files says, where there is one."""
    place = Path(folder)
    switches = sitefiles.everywhere(place, table.RULES).switches
    has_sites = any(path.name != sitefiles.EVERYWHERE for path in place.glob("*.toml"))
    sites = [file.definition for file in sitefiles.load(place, table.RULES)] if has_sites else []
    return [
        *owned.of_sites(sites),
        *findings.explanations(switches),
        *program.explanations(switches),
        *looking.explanations(),
        *owned.keys(),
    ]


def find(known: Sequence[Explanation], asked: str) -> list[Explanation]:
    """All that goes by a name, such as ``failed``, or ``outcome:failed`` to have one of them; UsageError for none."""
    found = [one for one in known if asked.lower() in _names(one)]
    if not found:
        raise UsageError(f"nothing is called {asked!r}; {_hint(known, asked.lower())}")
    return found


def _names(one: Explanation) -> set[str]:
    name = one.name.lower()
    names = {name, f"{one.kind}:{name}"}
    if one.kind in {"expectation", "waiver", "switch", "cache rule"}:
        names.add(name.partition("/")[2])
    return names | ({name.removeprefix("headersweep_")} if one.kind == "setting" else set())


def _hint(known: Iterable[Explanation], asked: str) -> str:
    names = sorted({name for one in known for name in _names(one) if ":" not in name})
    close = difflib.get_close_matches(asked, names, n=3) or [name for name in names if asked in name][:3]
    if close:
        return f"did you mean {' or '.join(close)}?"
    return "`headersweep explain --all` lists every name"
