"""A web on loopback whose pages a test writes down, or makes up as they are asked for."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from demosite import serving as serving_pages
from demosite.serving import Answer

HTML = ("Content-Type", "text/html")
Headers = Sequence[tuple[str, str]]
Route = Answer | Callable[[], Answer]


def page(*links: str, headers: Headers = (), status: int = 200, delay: float = 0.0) -> Answer:
    """A page that links to others."""
    body = "".join(f'<a href="{link}">x</a>' for link in links).encode()
    return Answer(status, [HTML, *headers], body, delay=delay)


def moved(location: str, status: int = 302) -> Answer:
    """A redirect."""
    return Answer(status, [("Location", location)])


def plain(text: str | bytes, content_type: str = "text/plain") -> Answer:
    """robots.txt, a sitemap."""
    return Answer(200, [("Content-Type", content_type)], text if isinstance(text, bytes) else text.encode())


def in_turn(*answers: Answer) -> Callable[[], Answer]:
    """These answers one after the other, and the last one from then on."""
    rest = list(answers)
    return lambda: rest.pop(0) if len(rest) > 1 else rest[0]


@dataclass
class Web:
    """One origin. What is not written down answers 404."""

    port: int = 0
    routes: dict[str, Route] = field(default_factory=dict)
    hits: collections.Counter[str] = field(default_factory=collections.Counter)
    log: list[tuple[float, str]] = field(default_factory=list)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def gaps(self) -> list[float]:
        """The seconds between two requests, robots.txt left out."""
        moments = [moment for moment, target in self.log if target != "/robots.txt"]
        return [after - before for before, after in itertools.pairwise(moments)]

    @property
    def start(self) -> str:
        """The start page."""
        return self.url("/")

    def url(self, path: str) -> str:
        """The URL of a page here."""
        return self.origin + path

    def pages(self, **answers: Route) -> None:
        """Write pages: ``home`` is the start page."""
        for name, answer in answers.items():
            self.routes["/" if name == "home" else f"/{name}"] = answer

    def __call__(self, target: str, _host: str) -> Answer:
        """Answer one request."""
        self.hits[target] += 1
        self.log.append((time.monotonic(), target))
        route = self.routes.get(target, Answer(404, [("Content-Type", "text/plain")], b"nothing here"))
        return route if isinstance(route, Answer) else route()


@contextlib.contextmanager
def serving_on(web: Web, port: int = 0) -> Iterator[Web]:
    """Serve these pages, maybe on a given port; afterwards connections are refused."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    connections: list[serving_pages.Connection] = []

    def connected() -> serving_pages.Connection:
        connections.append(serving_pages.Connection(web))
        return connections[-1]

    async def begin() -> asyncio.Server:
        return await loop.create_server(connected, "127.0.0.1", port, reuse_address=True)

    async def end(server: asyncio.Server) -> None:
        server.close()
        for connection in connections:
            if connection._transport is not None:
                connection._transport.abort()
        await asyncio.sleep(0)

    server = asyncio.run_coroutine_threadsafe(begin(), loop).result()
    web.port = serving_pages.port_of(server)
    try:
        yield web
    finally:
        asyncio.run_coroutine_threadsafe(end(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def serving() -> contextlib.AbstractContextManager[Web]:
    """Serve a new, empty web."""
    return serving_on(Web())
