"""What a rehearsal measured of one revision, and what is to be said of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cli.care import plans
from cli.care.copies import Copy
from cli.care.lint import Remark
from cli.care.plans import Comparison
from cli.care.schema import Difference, Size
from cli.care.watch import Step
from models.care.explain import Plan


@dataclass(frozen=True)
class Limits:
    """What a migration may cost."""

    writer_stall_ms: float = 250.0
    reader_stall_ms: float = 250.0
    plan_growth: float = 1.5


@dataclass
class Rehearsed:
    """Everything that was measured of one revision."""

    revision: str
    down_revision: str | None
    path: Path
    hash: str
    summary: str
    copy: Copy
    sizes: list[Size]
    server: str
    limits: Limits
    remarks: list[Remark]
    changes: Difference
    touched: tuple[str, ...] = ()
    steps: list[Step] = field(default_factory=list)
    loses: list[str] = field(default_factory=list)
    left_behind: Difference = field(default_factory=Difference)
    second_up: Difference = field(default_factory=Difference)
    harmed: list[str] = field(default_factory=list)
    before: list[Plan] = field(default_factory=list)
    after: list[Plan] = field(default_factory=list)
    checked_rows: int = 0
    seconds: float = 0.0

    @property
    def comparison(self) -> Comparison:
        """The plans before and after."""
        return plans.compare(self.before, self.after, self.limits.plan_growth)

    @property
    def exceeded(self) -> list[str]:
        """The limits that were exceeded, and what the lint found, as sentences."""
        said = []
        for step in self.steps[:1] + self.steps[2:]:
            for kind, found, quiet, limit in (
                ("writer", step.writer_ms, step.quiet_writer_ms, self.limits.writer_stall_ms),
                ("reader", step.reader_ms, step.quiet_reader_ms, self.limits.reader_stall_ms),
            ):
                # What they waited for before anything was done is the machine's, not the migration's.
                if found is not None and found - (quiet or 0.0) > limit:
                    said.append(f"{step.name}: a {kind} waited {found:.0f} ms, {limit:.0f} are allowed")
        said += [f"plan of {line}" for line in self.comparison.worse]
        return said + [
            f"lint: {remark.rule}: {remark.message}" for remark in self.remarks if not remark.accepted
        ]

    @property
    def unclean(self) -> list[str]:
        """What the way back did not restore, as sentences."""
        return [
            *(f"after down the schema differs: {line}" for line in self.left_behind.lines()),
            *(f"after the second up the schema differs: {line}" for line in self.second_up.lines()),
            *self.harmed,
        ]
