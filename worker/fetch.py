"""Fetching one page: the only HTTP to sites. Trouble on the network is a value here, never an exception."""

from __future__ import annotations

import re
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

import headersweep
from headersweep.addresses import AddressPolicy
from headersweep.errors import ConfigurationError
from headersweep.probes import ProbeRequest
from headersweep.states import FailureReason
from worker import bodies, dns, wire
from worker.connection import MAX_DETAIL, Deadlines, ExchangeError, WantBody, media_type
from worker.transport import BufferedStream, RawTransport

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml", ""})
BLOCKING = frozenset({403, 405, 503})
"""With these statuses firewalls answer in a site's place."""

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
MAX_ORIGINS_REMEMBERED = 4096
MAX_PORT = 65_535
NOT_A_URL = "this is no http(s) URL in its canonical form"

_PLAIN_URL = re.compile(r"(https?://[^/?#@\s\\]+)(/?[!-~]*)", re.ASCII)
_CHARSET = re.compile(rb"""charset\s*=\s*["']?\s*([A-Za-z0-9_.:+-]{1,40})""", re.IGNORECASE)
_NO_CONTENT = BufferedStream(b"")
_CONTACT = re.compile(r"[!-'*-~][ !-'*-~]{0,199}", re.ASCII)


@dataclass(slots=True)
class Fetched:
    """What one request came to.

    ``error`` is None exactly when the whole header block is here: then the page is stored, whatever its status. Else
    ``status`` and ``raw_headers`` hold what came before the trouble, if anything. ``body`` is None when it was not wanted;
    ``body_truncated`` says that some of it is missing or could not be decoded; ``error_detail`` says why, in words.
    """

    url: str
    status: int | None
    raw_headers: bytes
    body: bytes | None
    body_truncated: bool
    elapsed_ms: int
    fetched_at: datetime
    error: FailureReason | None
    error_detail: str
    unverified_tls: bool
    content_type: str
    charset: str | None
    location: str | None
    retry_after: str | None
    peer: str
    malformed: bool = False


@dataclass(frozen=True, slots=True)
class _Origin:
    """What all requests to one origin have in common, prepared once."""

    url: httpx.URL
    headers: httpx.Headers


def html_only(status: int, content_type: str) -> bool:
    """Whether a response may have links that are worth following: an HTML page that is no error."""
    return 200 <= status < 300 and content_type in HTML_TYPES  # noqa: PLR2004 - the class of successes


def worth_reading(status: int, content_type: str) -> bool:
    """Whether a body tells something: links, facts, or that a firewall answered in the site's place."""
    return content_type in HTML_TYPES and (200 <= status < 300 or status in BLOCKING)  # noqa: PLR2004 - the class of successes


def user_agent(contact: str) -> str:
    """How we name ourselves to sites: the product, and whom to talk to about it."""
    major_minor = ".".join(headersweep.__version__.split(".")[:2])
    if not contact:
        return f"headersweep/{major_minor}"
    if not _CONTACT.fullmatch(contact):
        raise ConfigurationError(
            f"the contact {contact[:80]!r} must be plain ASCII without brackets, like https://example.org/bot"
        )
    return f"headersweep/{major_minor} (+{contact})"


class Fetcher:
    """Fetches pages for one event loop, over shared connections. Close it when done."""

    def __init__(
        self,
        *,
        user_agent: str,
        deadlines: Deadlines | None = None,
        resolver: dns.Resolver | None = None,
        dns_ttl_seconds: float = dns.TTL_SECONDS,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._transport = RawTransport(
            deadlines=deadlines, resolver=resolver, dns_ttl_seconds=dns_ttl_seconds, ssl_context=ssl_context
        )
        self._user_agent = user_agent
        self._origins: dict[str, _Origin] = {}

    @property
    def idle_connections(self) -> int:
        """How many connections wait for a next request."""
        return self._transport.idle_connections

    async def fetch(  # noqa: PLR0913 - keywords with defaults, one for each thing a caller decides
        self,
        url: str,
        *,
        policy: AddressPolicy,
        allow_unverified_tls: bool = False,
        want_body: WantBody = html_only,
        max_body: int = bodies.MAX_DECODED_BYTES,
        max_wire: int = bodies.MAX_WIRE_BYTES,
    ) -> Fetched:
        """Ask for one URL once; redirects are not followed. Network trouble is in the answer, never raised.

        ``max_wire`` bounds the body as sent, ``max_body`` as decoded; a sitemap may need more than a page.
        """
        asked = {"policy": policy, "want_body": want_body, "max_wire": max_wire}
        return await self._verified(url, asked, max_body, else_unverified=allow_unverified_tls)

    async def probe(
        self,
        asked: ProbeRequest,
        *,
        policy: AddressPolicy,
        allow_unverified_tls: bool = False,
        max_body: int = 0,
    ) -> Fetched:
        """Send one probe; like ``fetch``, redirects are not followed and network trouble is in the answer.

        No more than ``max_body`` bytes of a body are read. An announced one is never sent: the answer may be 100.
        """
        options: dict[str, Any] = {
            "policy": policy,
            "want_body": lambda _status, _type: max_body > 0,
            "max_wire": max_body,
            "withheld": asked.length is not None,
            "probe": asked,
        }
        return await self._verified(asked.url, options, max_body, else_unverified=allow_unverified_tls)

    async def aclose(self) -> None:
        """Close every connection; what is under way ends with an error."""
        await self._transport.aclose()

    async def _verified(
        self, url: str, asked: dict[str, Any], max_body: int, *, else_unverified: bool
    ) -> Fetched:
        """One request; where TLS fails and the owner allows it, one more without looking at the certificate, marked."""
        fetched = await self._fetch(url, {**asked, "verify": True}, max_body)
        if fetched.error is not FailureReason.TLS or not else_unverified:
            return fetched
        again = await self._fetch(url, {**asked, "verify": False}, max_body)
        again.unverified_tls = True
        again.error_detail = _joined(fetched.error_detail, again.error_detail)
        return again

    async def _fetch(self, url: str, asked: dict[str, Any], max_body: int) -> Fetched:
        fetched_at = datetime.now(UTC)
        started = time.monotonic()
        try:
            response = await self._transport.handle_async_request(self._request(url, asked))
        except ExchangeError as error:
            return _failed(url, error, fetched_at, _milliseconds_since(started))
        return _answered(url, response, max_body, fetched_at, _milliseconds_since(started))

    def _request(self, url: str, asked: dict[str, Any]) -> httpx.Request:
        """The request for exactly this URL: httpx would write some targets differently, so it is given as bytes."""
        found = _PLAIN_URL.fullmatch(url)
        if found is None:
            raise ExchangeError(FailureReason.PROTOCOL, NOT_A_URL)
        origin = self._origins.get(found[1]) or self._remember(found[1])
        path = found[2].split("#", 1)[0]
        target = path if path.startswith("/") else "/" + path
        extensions = {**asked, "target": target.encode("ascii")}
        if "probe" in asked:
            return _probe_request(asked["probe"], origin, extensions)
        return httpx.Request(
            "GET", origin.url, headers=origin.headers, stream=_NO_CONTENT, extensions=extensions
        )

    def _remember(self, text: str) -> _Origin:
        url = _origin_url(text)
        names = {
            "Host": url.netloc.decode("ascii"),
            "User-Agent": self._user_agent,
            "Accept": ACCEPT,
            "Accept-Encoding": bodies.ACCEPT_ENCODING,
        }
        if len(self._origins) >= MAX_ORIGINS_REMEMBERED:
            self._origins.clear()
        self._origins[text] = _Origin(url, httpx.Headers(names))
        return self._origins[text]


def _probe_request(asked: ProbeRequest, origin: _Origin, extensions: dict[str, Any]) -> httpx.Request:
    """A request with its own headers in place of ours of the same name."""
    headers = origin.headers.copy()
    for name, value in asked.headers:
        headers[name] = value
    if asked.length is not None:
        headers["Expect"] = "100-continue"
        headers["Content-Length"] = str(asked.length)
    return httpx.Request(asked.method, origin.url, headers=headers, stream=_NO_CONTENT, extensions=extensions)


def _origin_url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise ExchangeError(FailureReason.PROTOCOL, NOT_A_URL) from None
    if not url.host or (url.port is not None and not 0 < url.port <= MAX_PORT):
        raise ExchangeError(FailureReason.PROTOCOL, NOT_A_URL)
    return url


def _answered(
    url: str, response: httpx.Response, max_body: int, fetched_at: datetime, elapsed_ms: int
) -> Fetched:
    known = response.extensions
    head: wire.Head = known["head"]
    fetched = _blank(url, head, fetched_at, elapsed_ms)
    fetched.peer = known["peer"]
    if known["body_wanted"]:
        assert isinstance(response.stream, BufferedStream)  # noqa: S101 - our transport gives no other
        codings = bodies.codings_of(head.values(b"content-encoding"))
        decoded = bodies.decode(response.stream.data, codings, max_body)
        fetched.body = decoded.data
        fetched.body_truncated = known["body_truncated"] or decoded.truncated
        fetched.error_detail = _joined(known["body_problem"], decoded.problem)
    return fetched


def _failed(url: str, error: ExchangeError, fetched_at: datetime, elapsed_ms: int) -> Fetched:
    fetched = _blank(url, error.head, fetched_at, elapsed_ms)
    fetched.error = error.reason
    fetched.error_detail = error.detail
    fetched.peer = error.peer
    return fetched


def _blank(url: str, head: wire.Head | None, fetched_at: datetime, elapsed_ms: int) -> Fetched:
    """A result that has what the head says, and nothing else yet."""
    return Fetched(
        url=url,
        status=head.status if head else None,
        raw_headers=head.raw if head else b"",
        body=None,
        body_truncated=False,
        elapsed_ms=elapsed_ms,
        fetched_at=fetched_at,
        error=None,
        error_detail="",
        unverified_tls=False,
        content_type=media_type(head) if head else "",
        charset=_charset(head) if head else None,
        location=_first(head, b"location"),
        retry_after=_first(head, b"retry-after"),
        peer="",
        malformed=head.malformed if head else False,
    )


def _first(head: wire.Head | None, name: bytes) -> str | None:
    """The first value of a header: UTF-8 where it is that, as browsers read it, else Latin-1."""
    values = head.values(name) if head else []
    if not values:
        return None
    try:
        return values[0].decode("utf-8")
    except UnicodeDecodeError:
        return values[0].decode("latin-1")


def _charset(head: wire.Head) -> str | None:
    values = head.values(b"content-type")
    found = _CHARSET.search(values[-1]) if values else None
    return found[1].decode("ascii").lower() if found else None


def _joined(*details: str) -> str:
    return "; ".join(detail for detail in details if detail)[:MAX_DETAIL]


def _milliseconds_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


__all__ = [
    "AddressPolicy",
    "Deadlines",
    "Fetched",
    "Fetcher",
    "WantBody",
    "html_only",
    "user_agent",
    "worth_reading",
]
