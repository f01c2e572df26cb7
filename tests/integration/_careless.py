"""Two sites over https on loopback: a careless one with some twenty mistakes, and one without any. Both keep their own log.

Both answer ``Expect: 100-continue`` as real servers do: the careless one invites the body, and would read it.
"""

from __future__ import annotations

import contextlib
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.integration._listening import Request

HOST = "site.test"
SLOW_SECONDS = 0.01
"""Every answer takes so long, so that requests at once would be seen as such."""

KEY = "AKIA" + "Q7ZLM2XB5RWN3KCV"
TOKEN = "ghp_" + "k3" * 18
URL_TOKEN = "abcdef" + "0123456789"
TRACE = "Traceback (most recent call last):\n  File '/srv/app/views.py', line 3, in show\nKeyError: 'page'"


@dataclass(frozen=True)
class Page:
    """What is answered at a path."""

    body: str = "<!doctype html><p>x"
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: str = "text/html; charset=utf-8"
    status: int = 200


@dataclass
class Site:
    """One origin, what it answers, and what it was asked."""

    pages: dict[str, Page]
    everywhere: dict[str, str] = field(default_factory=dict)
    missing: Page = field(default_factory=lambda: Page("<p>no such page", status=404))
    invites_bodies: bool = False
    reflects_origins: bool = False
    port: int = 0
    log: list[Request] = field(default_factory=list)
    body_bytes: int = 0
    """How much came behind a head."""
    invited: int = 0
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str) -> str:
        """The URL of a page here."""
        return f"https://{HOST}:{self.port}{path}"

    def page(self, path: str) -> Page:
        """What is there."""
        return self.pages.get(path, self.missing)

    @contextlib.contextmanager
    def counted(self, request: Request) -> Iterator[None]:
        """Log a request, and how many there are at once."""
        with self.lock:
            self.log.append(request)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        time.sleep(SLOW_SECONDS)
        try:
            yield
        finally:
            with self.lock:
                self.at_once -= 1


def _linking(*paths: str) -> str:
    return "<!doctype html>" + "".join(f'<a href="{path}">x</a>' for path in paths)


def careless() -> Site:
    """What should not be found anywhere, all in one place."""
    endpoint = f"https://{HOST}:PORT/reports"
    session = "sessionid=abcdefghijklmnop; Path=/; Secure; SameSite=Lax"
    paths = (
        "/unsafe",
        "/files/",
        "/api",
        "/keys",
        "/account",
        f"/reset?access_token={URL_TOKEN}",
        f"/get/{TOKEN}/file",
    )
    found = {path: Page() for path in paths}
    return Site(
        pages=found
        | {
            "/": Page(_linking(*paths), {"Referrer-Policy": "unsafe-url"}),
            "/unsafe": Page(
                headers={
                    "Content-Security-Policy": f"default-src *; script-src * 'unsafe-inline'; report-uri {endpoint}"
                }
            ),
            "/files/": Page("<html><head><title>Index of /files/</title></head><body>x"),
            "/api": Page("{}", {"X-Upstream-Auth": TOKEN}, "application/json"),
            "/keys": Page(f"<!doctype html><script>var key = '{KEY}'</script>"),
            "/account": Page(headers={"Set-Cookie": session, "Cache-Control": "public, max-age=600"}),
            "/.env": Page(f"APP_ENV=production\nAWS_KEY={KEY}\n", kind="text/plain"),
            "/.git/HEAD": Page("ref: refs/heads/main\n", kind="application/octet-stream"),
            "/dump.sql": Page("-- PostgreSQL database dump\n", kind="application/sql"),
            "/phpinfo.php": Page("<title>PHP 8.1.2 - phpinfo()</title>"),
        },
        everywhere={"Server": "nginx/1.18.0"},
        missing=Page(f"<pre>{TRACE}</pre>", status=404),
        invites_bodies=True,
        reflects_origins=True,
    )


def careful() -> Site:
    """A site as the checklist wants it, with the same paths; its error page mentions nothing."""
    endpoint = f"https://{HOST}:PORT/reports"
    policy = (
        "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        f"report-to csp; report-uri {endpoint}"
    )
    session = "__Host-session=abcdefghijklmnop; Path=/; Secure; HttpOnly; SameSite=Lax"
    signed = f"/file?X-Amz-Credential={KEY}&X-Amz-Signature=abcdef"
    paths = ("/unsafe", "/files/", "/api", "/keys", "/account", "/reset", signed)
    return Site(
        pages={path: Page() for path in paths}
        | {
            "/": Page(_linking(*paths)),
            "/api": Page("{}", kind="application/json"),
            "/account": Page(headers={"Set-Cookie": session, "Cache-Control": "private, no-store"}),
            "/reports": Page("", status=204),
        },
        everywhere={
            "Content-Security-Policy": policy,
            "Reporting-Endpoints": f'csp="{endpoint}"',
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
            "Referrer-Policy": "strict-origin-when-cross-origin",
            "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Server": "nginx",
        },
    )


@dataclass(frozen=True)
class Authority:
    """A certificate for the site, and the file that makes it trusted."""

    chain: Path

    def server(self) -> ssl.SSLContext:
        """For the site."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain)
        return context

    def trusting(self) -> ssl.SSLContext:
        """For a client that trusts it."""
        context = ssl.create_default_context(cafile=str(self.chain))
        context.set_alpn_protocols(["http/1.1"])
        return context


def authority(folder: Path) -> Authority:
    """A certificate for the site, made for this test run; it signs itself."""
    chain, key, certificate = (folder / name for name in ("chain.pem", "key.pem", "certificate.pem"))
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    made += ["-days", "2", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    subprocess.run([*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    chain.write_text(key.read_text() + certificate.read_text())
    return Authority(chain)


@contextlib.contextmanager
def serving(site: Site, tls: ssl.SSLContext) -> Iterator[Site]:
    """Serve; afterwards connections are refused."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, site, tls))
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5

    def __init__(self, site: Site, tls: ssl.SSLContext, request: Any, *rest: Any) -> None:
        self.site, self.tls = site, tls
        # A client may hang up, or not trust us.
        with contextlib.suppress(OSError), tls.wrap_socket(request, server_side=True) as wrapped:
            super().__init__(wrapped, *rest)

    def version_string(self) -> str:
        """Server is the site's to say."""
        return self.site.everywhere["Server"]

    def handle_expect_100(self) -> bool:
        """Invite the body, or refuse it."""
        if self.site.invites_bodies:
            self.site.invited += 1
            return super().handle_expect_100()
        with self.site.counted(self._asked()):
            self._send(Page("", status=413))
            self.close_connection = True
        return False

    def _asked(self) -> Request:
        return Request(self.command, self.path, {k.lower(): v for k, v in self.headers.items()})

    def _answer(self) -> None:
        with self.site.counted(self._asked()):
            if "expect" in self.headers:
                self._read_body()
                return
            self._send(self.site.page(self.path))

    def _read_body(self) -> None:
        """Wait for what was announced."""
        self.close_connection = True
        while got := self.rfile.read1(65_536):
            self.site.body_bytes += len(got)

    def _send(self, page: Page) -> None:
        body = page.body.encode()
        self.send_response_only(page.status, HTTPStatus(page.status).phrase)
        pairs = {"Content-Type": page.kind, **self.site.everywhere, **page.headers, **self._to_origin()}
        for name, value in pairs.items():
            self.send_header(name, value.replace("PORT", str(self.site.port)))
        if page.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and page.status != HTTPStatus.NO_CONTENT:
            self.wfile.write(body)

    def _to_origin(self) -> dict[str, str]:
        origin = self.headers.get("origin")
        if origin is None or not self.site.reflects_origins:
            return {}
        return {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}

    do_GET: Callable[..., None] = _answer  # noqa: N815 - the name that the library calls
    do_POST: Callable[..., None] = _answer  # noqa: N815 - the name that the library calls
    do_OPTIONS: Callable[..., None] = _answer  # noqa: N815 - the name that the library calls

    def log_message(self, *_arguments: Any) -> None:
        """Keep the test's output clean."""
