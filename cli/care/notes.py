"""Migration notes: what a person wrote stays word for word; what was measured stands between two marks, and is replaced."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from cli.care import schema
from cli.render import rehearsed as render
from models import migrate

if TYPE_CHECKING:
    from cli.care.measured import Rehearsed

BEGIN = "<!-- measured by `headersweep db rehearse`; revision file sha256:{hash}. Written anew by the next rehearsal. -->"
END = "<!-- end of what was measured -->"
MEASURED = re.compile(
    r"<!-- measured by `headersweep db rehearse`; revision file sha256:(?P<hash>[0-9a-f]{64})\. .*? -->\n.*?<!-- end of what was measured -->\n?",
    re.DOTALL,
)
SIDE = re.compile(r"^Side: (.+?)(?:\n\s*\n|\nNote:|\Z)", re.MULTILINE | re.DOTALL)


def path_of(result: Rehearsed, wanted: str | None) -> Path | None:
    """Where the note of a revision belongs: the given file or folder, else beside the migrations of a checkout."""
    if wanted is not None:
        given = Path(wanted)
        return given / f"{result.revision}.md" if given.is_dir() else given
    folder = migrate.scripts_folder().parent / "docs" / "migrations"
    return folder / f"{result.revision}.md" if folder.is_dir() else None


def write(path: Path, result: Rehearsed, *, command: str, owner: str = "", reason: str = "") -> None:
    """Put what was measured into the note; a note that is new gets the parts that a note must have."""
    text = path.read_text(encoding="utf-8") if path.exists() else skeleton(result, owner=owner, reason=reason)
    measured = "\n".join([BEGIN.format(hash=result.hash), "", *render.as_note(result, command), "", END, ""])
    if MEASURED.search(text):
        text = MEASURED.sub(lambda _: measured, text, count=1)
    else:
        text = f"{text.rstrip()}\n\n{measured}"
    half = path.with_name(f"{path.name}.tmp")
    half.write_text(text, encoding="utf-8")
    half.replace(path)


def hash_in(text: str) -> str | None:
    """For which content of the revision file a note was measured; None where nothing was."""
    found = MEASURED.search(text)
    return found["hash"] if found else None


def skeleton(result: Rehearsed, *, owner: str = "", reason: str = "") -> str:
    """A note with every part, filled from what is known; the words are a person's to better."""
    doc = _docstring(result.path)
    side = SIDE.search(doc)
    back = result.down_revision or "base"
    lost = ", ".join(result.loses) or "nothing"
    changes = (
        "\n".join(f"- {line}" for line in schema.headline(result.changes))
        or "- nothing that shows in the schema"
    )
    return f"""# {result.revision}: {result.summary.rstrip(".")}

**Owner:** {owner or "the maintainers of headersweep"}. **Side:** {" ".join(side[1].split()) if side else "pre"}

**Reason:** {reason or result.summary}

**Files:** `alembic/versions/{result.path.name}`.

**What it does:**

{changes}

**Commands:**

```
headersweep db upgrade
headersweep db current
```

**Expected result:** `revision {result.revision}`, and the changes above.

**Rollback:** `HEADERSWEEP_DATABASE_URL=... alembic downgrade {back}`. It loses: {lost}.
"""


def _docstring(path: Path) -> str:
    import ast

    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
