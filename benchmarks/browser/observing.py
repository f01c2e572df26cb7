"""How each thing is observed: the answers of the cases are served, and a page of the browser says what became of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from benchmarks.browser import hosts
from benchmarks.browser.records import Case
from benchmarks.browser.server import HTML, PICTURE, PIXEL, SCRIPT, TEXT, Answer, Site

Did = dict[str, Any]


class Browser(Protocol):
    """What a driver offers."""

    name: str
    version: str

    def navigate(self, url: str) -> None:
        """Open a page and wait until it has loaded."""

    def run(self, body: str) -> Any:
        """What an async function of the page returns."""

    def renew(self) -> None:
        """Go on in a new page."""


@dataclass
class Lab:
    """A browser and the server that it talks to."""

    browser: Browser
    site: Site
    number: int = 0

    def add(self, case: Case, body: str, kind: str | None = HTML) -> str:
        """Serve a case from now on; its path."""
        self.number += 1
        return self.site.add(f"/case/{self.number}", Answer(case.lines, body, kind))

    def harness(self, host: str = hosts.HARNESS, scheme: str = "https") -> None:
        """Show an empty page of ours."""
        self.browser.navigate(f"{scheme}://{host}/harness")

    def each(self, asked: Sequence[Any], body: str) -> list[Any]:
        """Ask the page about each of these in turn: ``body`` is JavaScript about ``it``."""
        found: list[Any] = self.browser.run(
            f"const answers = []; for (const it of {json.dumps(list(asked))}) "
            f"answers.push(await (async () => {{{body}}})()); return answers;"
        )
        return found


_ELEMENT = """
    const element = document.createElement(it.tag);
    const ended = new Promise(done => { element.onload = () => done(true); element.onerror = () => done(false); });
    if (it.rel) element.rel = it.rel;
    element[it.tag === 'link' ? 'href' : 'src'] = it.url;
    document.head.append(element);
    const loaded = await ended;
    element.remove();
    return loaded;
"""

_FRAME = """
    const frame = document.createElement('iframe');
    let spoke = false;
    const hear = event => { if (event.source === frame.contentWindow) spoke = true; };
    addEventListener('message', hear);
    const ended = new Promise(done => { frame.onload = done; setTimeout(done, 3000); });
    frame.src = it;
    document.body.append(frame);
    await ended;
    await new Promise(done => setTimeout(done, 30));
    removeEventListener('message', hear);
    frame.remove();
    return spoke;
"""
_SPEAKS = "<!doctype html><script>parent.postMessage('loaded', '*')</script>"


def sniffing(lab: Lab, cases: Sequence[Case]) -> Iterator[Did]:
    """Whether a script and a style sheet of a wrong type are used."""
    scripts = [f"https://{hosts.FIRST}{lab.add(case, 'window.ran = 1', TEXT)}" for case in cases]
    styles = [f"{hosts.FIRST}{lab.add(case, 'p {color: red}', TEXT)}" for case in cases]
    lab.harness()
    ran = lab.each([{"tag": "script", "url": url} for url in scripts], _ELEMENT)
    del styles
    for one in ran:
        yield {"script": one}


def framing(lab: Lab, cases: Sequence[Case]) -> Iterator[Did]:
    """Whether a page is shown in a frame of its own origin, of a sibling host and of a foreign site."""
    paths = [lab.add(case, _SPEAKS) for case in cases]
    urls = [f"https://{hosts.FIRST}{path}" for path in paths]
    found = {}
    for key, host in (("same", hosts.FIRST), ("sibling", hosts.SUB), ("foreign", hosts.HARNESS)):
        lab.harness(host)
        found[key] = lab.each(urls, _FRAME)
    for answers in zip(*found.values(), strict=True):
        yield dict(zip(found, answers, strict=True))


OBSERVERS: dict[str, Callable[[Lab, Sequence[Case]], Iterator[Did]]] = {
    "sniffing": sniffing,
    "framing": framing,
}
__all__ = ["OBSERVERS", "PICTURE", "PIXEL", "SCRIPT", "Lab"]
