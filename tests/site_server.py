"""A test web server with known truth, in a process of its own, on several origins.

with SiteServer(pages=401, origins=3) as site:
    sweep(site.start_urls)
    assert visits == site.truth()
    assert site.hits()[url] == 1
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import dataclasses
import html
import itertools
import json
import secrets
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from demosite import serving
from demosite.serving import Answer
from tests.site_plan import Kind, Shares, SitePlan, Truth

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 20.0
HTML = ("Content-Type", "text/html; charset=utf-8")
HSTS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
NOSNIFF = ("X-Content-Type-Options", "nosniff")

CLASS_HEADERS: dict[str, list[tuple[str, str]]] = {
    "docs": [HSTS, NOSNIFF, ("Cache-Control", "public, max-age=300"), ("X-Frame-Options", "DENY")],
    "blog": [HSTS, NOSNIFF, ("Cache-Control", "no-cache")],
    "shop": [NOSNIFF, ("Cache-Control", "private")],
    "legacy": [("X-Powered-By", "PHP/5.6.40"), ("Access-Control-Allow-Origin", "*")],
}


@dataclass(frozen=True)
class Behaviour:
    """How the server answers, beside what the plan says."""

    ports: tuple[int, ...]
    pages: int
    seed: int
    chain: int
    links_a_page: int
    shares: Shares
    delay: float = 0.0
    slow_seconds: float = 1.0
    busy_times: int = 1
    retry_after: int = 1

    def as_json(self) -> str:
        """The text that crosses to the server's process."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Behaviour:
        """The behaviour that ``as_json`` wrote."""
        data = json.loads(text)
        shares = Shares(**data.pop("shares"))
        return cls(ports=tuple(data.pop("ports")), shares=shares, **data)

    def plan(self, ports: tuple[int, ...]) -> SitePlan:
        """The site on the ports that were really taken."""
        return SitePlan(
            origins=tuple(f"http://127.0.0.1:{port}" for port in ports),
            pages=self.pages,
            seed=self.seed,
            chain=self.chain,
            links_a_page=self.links_a_page,
            shares=self.shares,
        )


class Responder:
    """Answers for all origins; counts the requests for each URL."""

    def __init__(self, behaviour: Behaviour, plan: SitePlan) -> None:
        self._behaviour = behaviour
        self._plan = plan
        self._hits: collections.Counter[str] = collections.Counter()
        self._bodies: dict[int, bytes] = {}
        self._numbers = itertools.count(1)
        self._dropped_header = ""

    def __call__(self, target: str, host: str) -> Answer:
        """The answer to one request."""
        if target.startswith("/__"):
            return self._control(target)
        url = f"http://{host}{target}"
        self._hits[url] += 1
        number = self._plan.numbers.get(url)
        if number is None:
            return self._other(target, f"http://{host}")
        return self._page(number, self._hits[url])

    def _control(self, target: str) -> Answer:
        if target.startswith("/__drop__/"):
            self._dropped_header = target.removeprefix("/__drop__/").lower()
        elif target == "/__forget__":
            self._hits.clear()
        return Answer(200, [("Content-Type", "application/json")], json.dumps(self._hits).encode())

    def _other(self, target: str, origin: str) -> Answer:
        if target == "/robots.txt":
            text = f"User-agent: *\nDisallow: /private/\nSitemap: {origin}/sitemap.xml\n"
            return Answer(200, [("Content-Type", "text/plain")], text.encode())
        if target == "/sitemap.xml":
            return Answer(200, [("Content-Type", "application/xml")], _sitemap(self._plan.sitemap(origin)))
        return Answer(404, [("Content-Type", "text/plain")], b"unknown to the plan\n")

    def _page(self, number: int, attempt: int) -> Answer:
        kind = self._plan.kind(number)
        if kind in (Kind.BUSY, Kind.LIMITED) and attempt <= self._behaviour.busy_times:
            status = 503 if kind is Kind.BUSY else 429
            return Answer(status, [("Retry-After", str(self._behaviour.retry_after))], b"not now\n")
        truth = self._plan.page_truth(number)
        headers = self._headers(number)
        if truth.target is not None:
            return Answer(302, [*headers, ("Location", truth.target)])
        return Answer(
            truth.status or 200,
            headers,
            self._body(number),
            delay=self._behaviour.delay + (self._behaviour.slow_seconds if kind is Kind.SLOW else 0.0),
            dropped=kind is Kind.RESET,
        )

    def _headers(self, number: int) -> list[tuple[str, str]]:
        folder = self._plan.path(number).rsplit("/", 2)[1]
        fixed = [HTML, *CLASS_HEADERS.get(folder, [])]
        if self._dropped_header:
            fixed = [pair for pair in fixed if pair[0].lower() != self._dropped_header]
        return [*fixed, *self._changing(folder)]

    def _changing(self, folder: str) -> list[tuple[str, str]]:
        nonce = secrets.token_urlsafe(12)
        headers = [("X-Request-Id", f"{next(self._numbers):08x}-{nonce[:8]}")]
        if folder == "blog":
            headers.append(("Content-Security-Policy", f"script-src 'nonce-{nonce}' 'strict-dynamic'"))
        if folder == "shop":
            headers.append(("Set-Cookie", f"session={nonce}; Path=/; HttpOnly"))
        return headers

    def _body(self, number: int) -> bytes:
        if number not in self._bodies:
            self._bodies[number] = _document(number, self._plan.links(number))
        return self._bodies[number]


def _document(number: int, links: list[str]) -> bytes:
    items = "".join(f'<li><a href="{html.escape(link)}">a page</a></li>' for link in links)
    return f"<!doctype html><title>page {number}</title><ul>{items}</ul>\n".encode()


def _sitemap(urls: list[str]) -> bytes:
    entries = "".join(f"<url><loc>{html.escape(url)}</loc></url>" for url in urls)
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>\n'.encode()


class SiteServer:
    """The server's process, as seen by a test. Leaving the ``with`` block ends it; so does the death of the test."""

    def __init__(
        self,
        *,
        pages: int = 401,
        origins: int = 3,
        seed: int = 1,
        ports: tuple[int, ...] = (),
        chain: int = 20,
        links_a_page: int = 8,
        shares: Shares = Shares(),  # noqa: B008 - frozen
        delay: float = 0.0,
        slow_seconds: float = 1.0,
        busy_times: int = 1,
        retry_after: int = 1,
    ) -> None:
        self._behaviour = Behaviour(
            ports=ports or (0,) * origins,
            pages=pages,
            seed=seed,
            chain=chain,
            links_a_page=links_a_page,
            shares=shares,
            delay=delay,
            slow_seconds=slow_seconds,
            busy_times=busy_times,
            retry_after=retry_after,
        )
        self._process: subprocess.Popen[str] | None = None
        self.ports: tuple[int, ...] = ports

    def __enter__(self) -> Self:
        # The server ends when its standard input does, so it never outlives the test that started it.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.site_server", self._behaviour.as_json()],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the site server did not start"
        self.ports = tuple(json.loads(line))
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        with self._process as process:
            process.kill()

    @property
    def plan(self) -> SitePlan:
        """The site as plain values."""
        return self._behaviour.plan(self.ports)

    @property
    def start_urls(self) -> tuple[str, ...]:
        """What to sweep."""
        return self.plan.start_urls

    def truth(self) -> dict[str, Truth]:
        """What a whole sweep must have recorded, by URL."""
        return self.plan.truth()

    def hits(self) -> dict[str, int]:
        """How often each URL was requested since the start or since ``forget``, robots.txt and sitemaps included."""
        hits: dict[str, int] = json.loads(self._control("/__hits__"))
        return hits

    def forget(self) -> None:
        """Count from zero again; pages that are busy at first will be so again."""
        self._control("/__forget__")

    def drop_header(self, name: str) -> None:
        """From now on no page sends this header any more: a change to be found by the next sweep."""
        self._control(f"/__drop__/{name}")

    def _control(self, path: str) -> bytes:
        url = f"http://127.0.0.1:{self.ports[0]}{path}"
        with urllib.request.urlopen(url, timeout=START_SECONDS) as answer:
            body: bytes = answer.read()
        return body


async def _serve(behaviour: Behaviour) -> None:
    responders: list[Responder] = []

    def respond(target: str, host: str) -> Answer:
        return responders[0](target, host)

    servers = [await serving.listen(respond, port) for port in behaviour.ports]
    ports = tuple(serving.port_of(server) for server in servers)
    responders.append(Responder(behaviour, behaviour.plan(ports)))
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(Behaviour.from_json(sys.argv[1])))
