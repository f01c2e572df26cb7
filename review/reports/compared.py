"""A comparison of two runs as rows of text, the same for every renderer: what, before, after, and how it moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from review import comparing
from review.caching import Sharing
from review.comparing import Comparison, Coverage, Latency, Share, Side, Turn
from review.posture import TITLES
from review.reports import texts

UNKNOWN = "unknown"
SHARED = {
    Sharing.FRESH: "pages that a shared cache may give out without asking",
    Sharing.GUESSING: "pages that it may store for as long as it thinks fit",
    Sharing.ASKING: "pages that it may store, asking before each use",
    Sharing.NEVER: "pages that it may not store",
}
TURNS = {
    Turn.OPENED: "opened",
    Turn.WORSE: "worse than before",
    Turn.CLOSED: "closed",
    Turn.WAIVED: "waived",
    Turn.STAYED: "as before",
}
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_NEARLY_ALL = 0.995


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a comparison. ``moved`` is empty where nothing did, or nobody knows."""

    what: str
    before: str
    after: str
    moved: str = ""


@dataclass(frozen=True, slots=True)
class Covered:
    """One protection before and after, for pages of one response class or of all."""

    title: str
    before: Share
    after: Share

    @property
    def row(self) -> Row:
        """The same as text."""
        return Row(self.title, share(self.before), share(self.after), points(self.before, self.after))


def protections(found: Comparison) -> list[Covered]:
    """Each protection that any page of the two runs counts for."""
    pairs = zip(found.before.coverage, found.after.coverage, strict=True)
    every = [Covered(TITLES[old.name], old.pages, new.pages) for old, new in pairs]
    return [one for one in every if one.before.whole or one.after.whole]


def by_class(found: Comparison) -> list[Covered]:
    """The same by response class; what only one class counts for is left out, since it is said above."""
    pairs = zip(found.before.coverage, found.after.coverage, strict=True)
    return [one for old, new in pairs for one in _by_class(old, new)]


def _by_class(old: Coverage, new: Coverage) -> Iterator[Covered]:
    kinds = sorted({*old.by_class, *new.by_class})
    if len(kinds) > 1:
        for kind in kinds:
            title = f"{TITLES[old.name]} ({kind})"
            yield Covered(title, old.by_class.get(kind, Share()), new.by_class.get(kind, Share()))


def share(one: Share) -> str:
    """``80 % (4 of 5 pages)``; all is never said of less, and nothing never of more."""
    if one.ratio is None:
        return "no page counts"
    percent = texts.share(one.part, one.whole)
    if _NEARLY_ALL <= one.ratio < 1:
        percent = "over 99 %"
    return f"{percent} ({one.part:,} of {texts.count(one.whole, 'page')})"


def points(before: Share, after: Share) -> str:
    """How far a share moved, in percentage points."""
    if before.ratio is None or after.ratio is None or before.ratio == after.ratio:
        return ""
    moved = 100 * (after.ratio - before.ratio)
    return f"{moved:+.0f} points" if abs(moved) >= 1 else f"{moved:+.2f} points"


def caching(found: Comparison) -> list[Row]:
    """What shared caches may do."""
    old, new = found.before.caching, found.after.caching
    rows = [Row("pages that a shared cache may store", *_shares(old.storable, new.storable))]
    for kind, title in SHARED.items():
        sides = [Share(one.by_sharing.get(kind, 0), one.storable.whole) for one in (old, new)]
        if sides[0].part or sides[1].part:
            rows.append(Row(title, *_shares(*sides)))
    lives = _spread(old.seconds), _spread(new.seconds)
    moved = "changed" if lives[0] != lives[1] else ""
    rows.append(Row("for how long without asking (least, median, most)", *lives, moved))
    hits = found.before.from_cache, found.after.from_cache
    if any(hits):
        rows.append(_hits(*hits))
    return rows


def _hits(before: Share | None, after: Share | None) -> Row:
    title = "answers that a cache gave (Age above 0)"
    if before is None or after is None:
        return Row(title, *(UNKNOWN if one is None else share(one) for one in (before, after)))
    return Row(title, *_shares(before, after))


def _shares(before: Share, after: Share) -> tuple[str, str, str]:
    return share(before), share(after), points(before, after)


def _spread(seconds: tuple[int, ...]) -> str:
    return ", ".join(map(span, seconds)) if seconds else "no time is stated"


def span(seconds: int) -> str:
    """Seconds in the largest unit that loses nothing worth saying."""
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= 2 * size or (seconds >= size and seconds % size == 0):
            whole = f"{seconds / size:.1f}".removesuffix(".0")
            return f"{whole} {unit}"
    return f"{seconds} s"


def latency(found: Comparison) -> list[Row]:
    """How long answers took."""
    old, new = found.before.latency, found.after.latency
    return [
        Row(f"{name} of the answers took up to", _ms(old, key), _ms(new, key), _faster(old, new, key))
        for key, name in (("p50", "half"), ("p90", "90 %"), ("p99", "99 %"))
    ]


def _ms(one: Latency | None, key: str) -> str:
    return UNKNOWN if one is None else f"{getattr(one, key):,} ms"


def _faster(old: Latency | None, new: Latency | None, key: str) -> str:
    if old is None or new is None:
        return ""
    moved = getattr(new, key) - getattr(old, key)
    return f"{moved:+,} ms" if moved else ""


def summary(found: Comparison) -> list[Row]:
    """The runs themselves, their grades and their open findings."""
    old, new = found.before, found.after
    rows = [
        Row("pages judged", f"{old.pages:,}", f"{new.pages:,}", _difference(old.pages, new.pages)),
        Row("grade", grade(old), grade(new), _difference(_score(old), _score(new), " points")),
    ]
    counts = [comparing.by_severity(side.causes) for side in (old, new)]
    for severity in counts[0]:
        was, now = (each[severity] for each in counts)
        rows.append(Row(f"open findings, {severity}", f"{was:,}", f"{now:,}", _difference(was, now)))
    return rows


def grade(side: Side) -> str:
    """The grade with its scheme and version."""
    found = side.grade or {}
    if found.get("grade") is None:
        return UNKNOWN
    return f"{found['grade']} ({found['score']} points, {found['scheme']} {found['algorithm']})"


def _score(side: Side) -> int | None:
    return (side.grade or {}).get("score")


def _difference(before: int | None, after: int | None, unit: str = "") -> str:
    if before is None or after is None or before == after:
        return ""
    return f"{after - before:+,}{unit}"


def owners(found: Comparison) -> list[tuple[str, dict[Turn, int]]]:
    """How many findings took which turn, by owner."""
    return [(owner or "nobody", counts) for owner, counts in comparing.by_owner(found.turned).items()]


def remarks(found: Comparison) -> list[str]:
    """What a reader has to know to read the numbers."""
    said = [
        f"Both runs were judged by the rules of version {found.rules_version}, whichever were in force when they ran."
    ]
    if found.policy_changed:
        said.append(
            "The site's file demands or excuses something else than before; each run was judged by its own."
        )
    for side in (found.before, found.after):
        if side.latency is None:
            said.append(
                f"How long the answers of run {side.run_id} took is not known any more, or never was."
            )
        if side.state != "finished":
            said.append(f"Run {side.run_id} is {side.state}: not all pages were reached.")
        if side.not_judged:
            blocked = texts.count(side.not_judged, "page")
            said.append(
                f"{blocked} of run {side.run_id} do not count: a firewall answered in the site's place."
            )
    return said


def moved(found: Comparison) -> list[str]:
    """Each number that moved, as one sentence: what a note says of a change."""
    covered = [one.row for one in protections(found)]
    rows = [*summary(found), *covered, *caching(found), *latency(found)]
    return [f"{row.what}: {row.before} -> {row.after}" for row in rows if row.moved]
