"""Profiles, what a tried policy would change, and baselines: values in, text or JSON out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from cli.render import json, words
from headersweep.policies import Profile
from review.policy import profiles
from review.policy.profiles import Described, Requirement
from review.policy.trying import Change, Effect, Weight

if TYPE_CHECKING:
    from cli.report import Run

HEADS = {
    Effect.COMES: "would come",
    Effect.GOES: "would go",
    Effect.CHANGES: "would count differently",
}


@dataclass(frozen=True)
class Tried:
    """A run under the policy that it carried, and under another."""

    run: Run
    pages: int
    sets: int
    carried: Profile
    wanted: Profile
    changes: tuple[Change, ...]

    def count(self, effect: Effect) -> int:
        """How many findings this becomes of."""
        return sum(change.effect is effect for change in self.changes)


# --- profiles ----------------------------------------------------------------------------------------------------


def profiles_text() -> str:
    """One line a profile."""
    rows = [[each.name, str(len(each.requirements)), each.title] for each in profiles.PROFILES.values()]
    return "\n".join(words.table(["PROFILE", "DEMANDS", "WHAT IT IS"], rows, right=frozenset({1})))


def profiles_json() -> str:
    """The same for scripts."""
    return json.document(
        profiles=[
            {
                "name": str(each.name),
                "title": each.title,
                "source": each.source,
                "demands": len(each.requirements),
            }
            for each in profiles.PROFILES.values()
        ]
    )


def profile_text(found: Described) -> str:
    """What a profile demands, of which answers, and where that stands."""
    lines = [f"{found.name}: {found.title}", f"source: {found.source}", f"left out: {found.left_out}"]
    for each in found.requirements:
        lines += ["", f"{each.paragraph}  {each.severity}  {each.rule.code}"]
        lines += [f"    not met when: {each.rule.title}", f"    of: {', '.join(_classes(each))}"]
        first, *more = each.fix.splitlines()
        lines += [f"    send: {first}", *(f"          {line}" for line in more)]
    return "\n".join(lines)


def profile_json(found: Described) -> str:
    """The same for scripts."""
    demands = [
        {
            "id": each.id,
            "paragraph": each.paragraph,
            "code": each.rule.code,
            "severity": str(each.severity),
            "header": each.header,
            "classes": _classes(each),
            "title": each.rule.title,
            "why": each.rule.why,
            "fix": each.fix,
            "link": each.rule.link,
        }
        for each in found.requirements
    ]
    return json.document(
        name=str(found.name), title=found.title, source=found.source, left_out=found.left_out, demands=demands
    )


def _classes(requirement: Requirement) -> list[str]:
    return sorted(map(str, requirement.classes))


# --- a policy that was tried -------------------------------------------------------------------------------------


def tried_text(tried: Tried) -> str:
    """What would come, go and count differently, with severities and pages; then the sum."""
    sets = words.count(tried.sets, "header set")
    lines = [f"{tried.run.site}, run {tried.run.run_id}: {words.count(tried.pages, 'page')}, {sets}"]
    if tried.carried is not tried.wanted:
        lines.append(f"profile: {tried.carried} -> {tried.wanted}")
    for effect, head in HEADS.items():
        changes = [change for change in tried.changes if change.effect is effect]
        if changes:
            lines += ["", head, *(line for change in changes for line in _change_lines(change))]
    lines += ["", ", ".join(f"{tried.count(effect)} {head}" for effect, head in HEADS.items())]
    lines[-1] += f", {tried.count(Effect.STAYS)} stay as they are"
    lines.append("Nothing was changed; `headersweep sites apply` does it, for the runs that come.")
    return "\n".join(lines)


def _change_lines(change: Change) -> list[str]:
    about = f" ({words.safe(change.subject)})" if change.subject else ""
    weights = [_weight_text(weight) for weight in (change.before, change.after) if weight is not None]
    lines = [f"  {change.code}{about}: {' -> '.join(weights)}", f"      {words.safe(change.title)}"]
    if change.detail:
        lines.append(f"      {words.safe(change.detail)}")
    return lines


def _weight_text(weight: Weight) -> str:
    said = f"{weight.severity}, {words.count(weight.pages, 'page')}"
    if not weight.waived_by:
        return said
    how_many = "" if weight.is_waived else f"{words.number(weight.waived_pages)} "
    return f"{said}, {how_many}waived by {words.safe(weight.waived_by)}"


def tried_json(tried: Tried) -> str:
    """The same for scripts."""
    lists = {
        str(effect): [_change(change) for change in tried.changes if change.effect is effect]
        for effect in HEADS
    }
    return json.document(
        site=tried.run.site,
        run=tried.run.run_id,
        pages=tried.pages,
        header_sets=tried.sets,
        profile={"before": str(tried.carried), "after": str(tried.wanted)},
        **lists,
        stays=tried.count(Effect.STAYS),
    )


def _change(change: Change) -> dict[str, Any]:
    return {
        "code": change.code,
        "subject": change.subject,
        "title": change.title,
        "detail": change.detail,
        "before": _weight(change.before),
        "after": _weight(change.after),
    }


def _weight(weight: Weight | None) -> dict[str, Any] | None:
    if weight is None:
        return None
    return {
        "severity": str(weight.severity),
        "pages": weight.pages,
        "waived_pages": weight.waived_pages,
        "waived_by": weight.waived_by or None,
    }


# --- baselines ---------------------------------------------------------------------------------------------------


def baselines_text(rows: Sequence[Any], today: date) -> str:
    """Everything that is kept about each baseline."""
    if not rows:
        return "no baseline: `headersweep baseline approve RUN` makes one"
    return "\n\n".join("\n".join(_baseline_lines(row, today)) for row in rows)


def _baseline_lines(row: Any, today: date) -> Iterable[str]:
    over = "; that day is over" if today > row.expires else ""
    yield f"{row.site}: run {row.run_id}, until {row.expires}{over}"
    yield f"    owner: {words.safe(row.owner)}"
    yield f"    reason: {words.safe(row.reason)}"
    yield f"    rollback: {words.safe(row.rollback_note)}"
    yield f"    approved by {words.safe(row.approved_by)} at {words.instant(row.approved_at)}"


def baselines_json(rows: Sequence[Any], today: date) -> str:
    """The same for scripts."""
    return json.document(
        baselines=[
            {
                "site": row.site,
                "run": row.run_id,
                "expires": row.expires.isoformat(),
                "expired": today > row.expires,
                "owner": row.owner,
                "reason": row.reason,
                "rollback_note": row.rollback_note,
                "approved_by": row.approved_by,
                "approved_at": words.instant(row.approved_at),
            }
            for row in rows
        ]
    )
