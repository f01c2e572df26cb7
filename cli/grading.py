"""The grade of a run: the public scoring of what the site's first start page answered, by its newest algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from review.preload import PreloadList
    from review.report import Cause
    from scheduler.reviewed import Answered


def grade(answers: Sequence[Answered], known: PreloadList | None = None) -> dict[str, Any] | None:
    """The grade of the last of these answers, to which the others redirected; None without any.

    As ``{"scheme", "algorithm", "score", "grade"}``; score and grade are None where the scoring gives none.
    """
    from review import single
    from review.grades import mdn
    from review.grades.scan import Hop, Scan

    if not answers:
        return None
    *before, last = answers
    chain = tuple(Hop(one.url, one.status, one.pairs) for one in before)
    scan = single.looked_up(Scan(last.url, last.pairs, last.status, chain), known)
    return mdn.grade(scan).as_json()


def preloading(answers: Sequence[Answered], known: PreloadList | None) -> tuple[Cause, ...]:
    """What the preload list makes of these answers, each host once."""
    from review import preload, received, report
    from review.finding import Found
    from review.grades import scan

    if known is None:
        return ()
    found: dict[tuple[str, str], Found] = {}
    for one in answers:
        answer = received.received(
            one.pairs, status=one.status, scheme=scan.scheme_of(one.url), host=scan.host_of(one.url)
        )
        for finding in preload.judge(answer, known):
            found.setdefault((finding.code, finding.subject), Found(finding, 1, (one.url,)))
    return report.of_run(found.values())
