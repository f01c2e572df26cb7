"""What becomes of answers that pages of ours embed: scripts, frames, pictures, fetches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.browser import hosts
from benchmarks.browser.observing import ELEMENT, FRAME, SPEAKS, Did, Lab
from benchmarks.browser.records import Case
from benchmarks.browser.server import PICTURE, PIXEL, TEXT

_PICTURE = """
    const picture = new Image();
    const ended = new Promise(done => { picture.onload = () => done(true); picture.onerror = () => done(false); });
    if (it.cors) picture.crossOrigin = it.cors;
    picture.src = it.url;
    return await ended;
"""
_TWICE = "for (const _ of [1, 2]) await (await fetch(it)).text(); return true;"


def sniffing(lab: Lab, cases: Sequence[Case]) -> Iterator[Did]:
    """Whether a script of a wrong type runs."""
    urls = [f"https://{hosts.FIRST}{lab.add(case, 'window.ran = 1', TEXT)}" for case in cases]
    lab.harness()
    for ran in lab.each([{"tag": "script", "url": url} for url in urls], ELEMENT):
        yield {"script": ran}


def framing(lab: Lab, cases: Sequence[Case]) -> Iterator[Did]:
    """Whether a page is shown in a frame of its own origin, of a sibling host and of a foreign site."""
    urls = [f"https://{hosts.FIRST}{lab.add(case, SPEAKS)}" for case in cases]
    found = {}
    for key, host in (("same", hosts.FIRST), ("sibling", hosts.SUB), ("foreign", hosts.HARNESS)):
        lab.harness(host)
        found[key] = lab.each(urls, FRAME)
    for answers in zip(*found.values(), strict=True):
        yield dict(zip(found, answers, strict=True))


def resource(lab: Lab, cases: Sequence[Case]) -> Iterator[Did]:
    """Whether a picture is shown on its own origin, a sibling host and a foreign site."""
    paths = [lab.add(case, PIXEL, PICTURE) for case in cases]
    lab.harness()
    found = {}
    owners = (("same", hosts.HARNESS), ("sibling", f"sub.{hosts.HARNESS}"), ("foreign", hosts.FIRST))
    for key, host in owners:
        found[key] = lab.each([{"url": f"https://{host}{path}"} for path in paths], _PICTURE)
    for answers in zip(*found.values(), strict=True):
        yield dict(zip(found, answers, strict=True))


def cors(lab: Lab, cases: Sequence[Case]) -> Iterator[Did]:
    """Whether a page of ours may read a foreign picture, without and with credentials."""
    paths = [lab.add(case, PIXEL, PICTURE) for case in cases]
    lab.harness()
    found = {}
    for key, mode in (("anonymous", "anonymous"), ("credentials", "use-credentials")):
        asked = [{"url": f"https://{hosts.FIRST}{path}?{key}", "cors": mode} for path in paths]
        found[key] = lab.each(asked, _PICTURE)
    for answers in zip(*found.values(), strict=True):
        yield dict(zip(found, answers, strict=True))


def caching(lab: Lab, cases: Sequence[Case]) -> Iterator[Did]:
    """Whether the second of two fetches reaches the server."""
    paths = [lab.add(case, "text", TEXT) for case in cases]
    lab.harness()
    lab.each([f"https://{hosts.HARNESS}{path}" for path in paths], _TWICE)
    for path in paths:
        yield {"asked_again": len(lab.site.requests(path)) > 1}
