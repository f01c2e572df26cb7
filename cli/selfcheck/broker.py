"""Items about Redis: who can reach it, whether it asks for the password, and what it throws away."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from cli.selfcheck.place import NETWORK_OF_CONTAINERS, Check, Place
from headersweep.checklist import Area, Item, Looked, fail, ok, unknown

if TYPE_CHECKING:
    import redis

TIMEOUT_SECONDS = 3.0
SAFE_POLICY = "noeviction"
SOCKET_SCHEMES = frozenset({"unix", "redis+socket"})
LOOPBACK = ("127.", "::1", "localhost")


@contextlib.contextmanager
def _client(url: str) -> Iterator[redis.Redis]:
    import redis

    from cli import embedded

    client = redis.Redis.from_url(
        embedded.client_url(url),
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    )
    try:
        yield client
    finally:
        client.close()


def _setting(place: Place, name: str) -> str | None:
    """A setting of the broker; None where it does not tell."""
    import redis

    with _client(place.settings.broker_url) as client:
        try:
            values: Any = client.config_get(name)
        except redis.exceptions.ResponseError:
            return None
    return str(values[name]) if name in values else None


def eviction(place: Place) -> Looked:
    """Whether it drops messages to save memory."""
    policy = _setting(place, "maxmemory-policy")
    if policy is None:
        return unknown("the broker does not tell its maxmemory-policy")
    said = f"maxmemory-policy {policy}"
    return ok(said) if policy == SAFE_POLICY else fail(said)


def password(place: Place) -> Looked:
    """Whether it lets us in without the password."""
    if place.embedded:
        return ok("it listens on a unix socket in a private folder only")
    bare = without_password(place.settings.broker_url)
    path = _socket_path(bare)
    if path is not None and not _is_open(path):
        return ok(f"its socket {path} is closed to other accounts")
    return _knock(bare)


def _knock(bare: str) -> Looked:
    import redis

    with _client(bare) as client:
        try:
            client.ping()
        except (redis.exceptions.AuthenticationError, redis.exceptions.NoPermissionError):
            return ok("without the password it answers nothing")
        except redis.exceptions.RedisError as error:
            return unknown(f"it could not be asked without the password ({type(error).__name__})")
    return fail("it answers without a password: whoever reaches it may ring, listen and delete")


def without_password(url: str) -> str:
    """The broker's URL for somebody who was told no password, neither before the host nor behind it."""
    parts = urlsplit(url)
    query = [pair for pair in parse_qsl(parts.query) if pair[0] not in {"username", "password"}]
    # Not urlunsplit: it leaves out the two slashes before a socket's path.
    return (
        f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{'?' * bool(query)}{urlencode(query)}"
    )


def _socket_path(url: str) -> Path | None:
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme in SOCKET_SCHEMES else None


def _is_open(path: Path) -> bool:
    return bool(path.stat().st_mode & stat.S_IWOTH)


def reach(place: Place) -> Looked:
    """Whether it can be reached from outside of this machine, or speaks in clear text over a network."""
    parts = urlsplit(place.settings.broker_url)
    if place.embedded:
        return ok("it listens on a unix socket only")
    if parts.scheme in SOCKET_SCHEMES:
        return _beside_its_socket(place)
    host = parts.hostname or ""
    return _from_outside(place, parts.port or 6379) if host.startswith(LOOPBACK) else _far(place, parts)


def _far(place: Place, parts: SplitResult) -> Looked:
    if parts.scheme == "rediss":
        return ok(f"{parts.hostname}, encrypted")
    said = f"{parts.hostname}: not encrypted (redis://)"
    if place.in_container and _is_private(parts.hostname or ""):
        return unknown(f"{said}, {NETWORK_OF_CONTAINERS}")
    return fail(said)


def _is_private(host: str) -> bool:
    addresses = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    return all(ipaddress.ip_address(address.partition("%")[0]).is_private for address in addresses)


def _beside_its_socket(place: Place) -> Looked:
    port = _setting(place, "port")
    if port is None:
        return unknown("it is reached through a unix socket, and does not tell whether it has a port, too")
    return ok("it listens on a unix socket only") if port == "0" else _from_outside(place, int(port))


def _from_outside(place: Place, port: int) -> Looked:
    bind = _setting(place, "bind")
    said = () if bind is None else (f"bind {bind or '(every address)'}",)
    open_at = [address for address in outer_addresses() if _answers(address, port)]
    if open_at:
        return fail(*said, f"port {port} can be reached at {', '.join(open_at)}")
    if bind is not None and _is_wide(bind):
        return fail(*said, "it listens on every address that this machine will have")
    return ok(*said, f"port {port} is not to be reached at any other address of this machine")


def _is_wide(bind: str) -> bool:
    """Redis takes a minus before an address that may be missing; no address at all stands for every one."""
    return not bind or any(each.lstrip("-") in {"*", "0.0.0.0", "::"} for each in bind.split())  # noqa: S104 - looked for


def outer_addresses() -> list[str]:
    """The addresses of this machine but for loopback; asking names nobody and sends nothing."""
    found: set[str] = set()
    with contextlib.suppress(OSError):
        found |= {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None)}
    for family, elsewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            found.add(str(probe.getsockname()[0]))
    return sorted(address for address in found if not address.startswith(LOOPBACK))


def _answers(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=1.0):
            return True
    except OSError:
        return False


CHECKS = (
    Check(
        Item(
            "self.broker_reach", Area.PERMISSIONS, "The broker cannot be reached from outside",
            "the broker's `bind`, and its port at every other address of this machine",
            "the local machine only, or rediss://",
            "set `bind` back, and restart Redis",
            "bind 127.0.0.1 -::1 in redis.conf; over a network: TLS, and rediss:// in HEADERSWEEP_BROKER_URL",
        ),
        reach,
    ),
    Check(
        Item(
            "self.broker_password", Area.SECRETS, "The broker asks for a password",
            "a PING without the password",
            "it is refused",
            "remove requirepass, restart Redis, and take the password out of the URL",
            "requirepass in redis.conf, and the password in the file of HEADERSWEEP_BROKER_URL_FILE",
        ),
        password,
    ),
    Check(
        Item(
            "self.broker_eviction", Area.PERMISSIONS, "The broker never drops messages to save memory",
            "maxmemory-policy",
            SAFE_POLICY,
            "CONFIG SET maxmemory-policy to what it was",
            f"maxmemory-policy {SAFE_POLICY} in redis.conf",
        ),
        eviction,
    ),
)  # fmt: skip
