"""How each thing is observed: the answers of the cases are served, and a page of the browser says what became of them."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from benchmarks.browser import hosts
from benchmarks.browser.chromium import BrowserError
from benchmarks.browser.records import Case
from benchmarks.browser.server import HTML, Answer, Request, Site

Did = dict[str, Any]
PATIENCE_SECONDS = 3.0


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

    def open(self, url: str) -> None:
        """Show a page, even where the one before is just about to go somewhere else."""
        for _ in range(5):
            self.browser.navigate(url)
            # A page that is just being left answers with an error.
            with contextlib.suppress(BrowserError):
                if self.browser.run("return location.href") == url:
                    return
            self.pause(0.2)

    def each(self, asked: Sequence[Any], body: str) -> list[Any]:
        """Ask the page about each of these in turn: ``body`` is JavaScript about ``it``."""
        found: list[Any] = self.browser.run(
            f"const answers = []; for (const it of {json.dumps(list(asked))}) "
            f"answers.push(await (async () => {{{body}}})()); return answers;"
        )
        return found

    def heard(self, path: str, seconds: float = PATIENCE_SECONDS) -> Request | None:
        """The first request for a path, if it comes within moments."""
        deadline = time.monotonic() + seconds
        while not (found := self.site.requests(path)) and time.monotonic() < deadline:
            time.sleep(0.01)
        return found[0] if found else None

    def pause(self, seconds: float) -> None:
        """Give the browser time."""
        time.sleep(seconds)

    def unique(self, about: str) -> str:
        """A path that nothing was asked for yet."""
        self.number += 1
        return f"/case/{about}/{self.number}"


ELEMENT = """
    const element = document.createElement(it.tag);
    const ended = new Promise(done => { element.onload = () => done(true); element.onerror = () => done(false); });
    if (it.rel) element.rel = it.rel;
    element[it.tag === 'link' ? 'href' : 'src'] = it.url;
    document.head.append(element);
    const loaded = await ended;
    element.remove();
    return loaded;
"""

FRAME = """
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
SPEAKS = "<!doctype html><script>parent.postMessage('loaded', '*')</script>"
