"""Which network addresses may be connected to: public unicast ones, and what an owner allows by CIDR.

Own table instead of ``ipaddress.is_global``, which accepts multicast, NAT64 and 6to4 (is_private misses 100.64.0.0/10).
It follows the IANA registries of special-purpose addresses, and adds multicast and the blocks that were given back.
Everything that is not ordinary global unicast is denied. An address that carries IPv4 addresses inside is judged by
these. What this cannot see: a translation prefix that a network chose for itself out of its public addresses.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from headersweep.errors import ConfigurationError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

ALLOW_PRIVATE = (
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "fc00::/7",
)
"""What --allow-private stands for: loopback, private use, carrier-grade NAT and unique local addresses.

Link-local (169.254.0.0/16, fe80::/10) is not among them: cloud metadata services answer there with credentials.
Who wants it names it: ``allow_addresses = ["169.254.0.0/16"]``.
"""


@dataclass(frozen=True, slots=True)
class SpecialBlock:
    """One row of the registries: a block that is not for sites on the public Internet."""

    cidr: str
    name: str
    rfc: str

    def __str__(self) -> str:
        return f"{self.name}, {self.cidr}, {self.rfc}"


SPECIAL_IPV4 = (
    SpecialBlock("0.0.0.0/8", "this network", "RFC 791"),
    SpecialBlock("10.0.0.0/8", "private use", "RFC 1918"),
    SpecialBlock("100.64.0.0/10", "shared address space of carrier-grade NAT", "RFC 6598"),
    SpecialBlock("127.0.0.0/8", "loopback", "RFC 1122"),
    SpecialBlock("169.254.0.0/16", "link local, cloud metadata", "RFC 3927"),
    SpecialBlock("172.16.0.0/12", "private use", "RFC 1918"),
    SpecialBlock("192.0.0.0/24", "protocol assignments", "RFC 6890"),
    SpecialBlock("192.0.2.0/24", "documentation (TEST-NET-1)", "RFC 5737"),
    SpecialBlock("192.31.196.0/24", "AS112 name servers", "RFC 7535"),
    SpecialBlock("192.52.193.0/24", "multicast tunnelling (AMT)", "RFC 7450"),
    SpecialBlock("192.88.99.0/24", "6to4 relay anycast, deprecated", "RFC 7526"),
    SpecialBlock("192.168.0.0/16", "private use", "RFC 1918"),
    SpecialBlock("192.175.48.0/24", "AS112 direct delegation", "RFC 7534"),
    SpecialBlock("198.18.0.0/15", "benchmarking", "RFC 2544"),
    SpecialBlock("198.51.100.0/24", "documentation (TEST-NET-2)", "RFC 5737"),
    SpecialBlock("203.0.113.0/24", "documentation (TEST-NET-3)", "RFC 5737"),
    SpecialBlock("224.0.0.0/4", "multicast", "RFC 5771"),
    SpecialBlock("255.255.255.255/32", "limited broadcast", "RFC 919"),
    SpecialBlock("240.0.0.0/4", "reserved", "RFC 1112"),
)

SPECIAL_IPV6 = (
    SpecialBlock("::/128", "unspecified", "RFC 4291"),
    SpecialBlock("::1/128", "loopback", "RFC 4291"),
    SpecialBlock("64:ff9b:1::/48", "local-use IPv4/IPv6 translation", "RFC 8215"),
    SpecialBlock("100::/64", "discard only", "RFC 6666"),
    SpecialBlock("100:0:0:1::/64", "dummy prefix", "RFC 9780"),
    SpecialBlock("2001:2::/48", "benchmarking", "RFC 5180"),
    SpecialBlock("2001:10::/28", "ORCHID, deprecated", "RFC 4843"),
    SpecialBlock("2001:20::/28", "ORCHIDv2", "RFC 7343"),
    SpecialBlock("2001:30::/28", "drone remote identification", "RFC 9374"),
    SpecialBlock("2001::/23", "protocol assignments", "RFC 2928"),
    SpecialBlock("2001:db8::/32", "documentation", "RFC 3849"),
    SpecialBlock("2620:4f:8000::/48", "AS112 direct delegation", "RFC 7534"),
    SpecialBlock("3ffe::/16", "6bone, given back", "RFC 3701"),
    SpecialBlock("3fff::/20", "documentation", "RFC 9637"),
    SpecialBlock("5f00::/16", "segment routing identifiers", "RFC 9602"),
    SpecialBlock("fc00::/7", "unique local", "RFC 4193"),
    SpecialBlock("fe80::/10", "link local", "RFC 4291"),
    SpecialBlock("fec0::/10", "site local, deprecated", "RFC 3879"),
    SpecialBlock("ff00::/8", "multicast", "RFC 4291"),
)

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
_TEREDO = ipaddress.IPv6Network("2001::/32")
_LOW_32_BITS = 0xFFFF_FFFF
_UNSPECIFIED_AND_LOOPBACK = (0, 1)

_TABLE = tuple((ipaddress.ip_network(row.cidr), row) for row in (*SPECIAL_IPV4, *SPECIAL_IPV6))


@dataclass(frozen=True)
class AddressPolicy:
    """Which addresses one site may be fetched from: public ones, and those inside ``allow`` (CIDR blocks)."""

    allow: tuple[str, ...] = ()
    _networks: tuple[Network, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "allow", tuple(self.allow))
        object.__setattr__(self, "_networks", tuple(network(text) for text in self.allow))

    def permits(self, address: str) -> bool:
        """Whether this very address may be connected to. Anything that is no plain address is denied."""
        return self.objection(address) is None

    def objection(self, address: str) -> str | None:
        """Why the address is denied, in words for a person; None when it is permitted."""
        if "%" in address:
            return f"{address} has a scope, so it belongs to one local link"
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return f"{address!r} is not an IP address"
        return self._objection(parsed)

    def _objection(self, address: Address) -> str | None:
        inside = embedded_ipv4(address)
        if not self._is_really_ipv4(address) and any(address in block for block in self._networks):
            return None
        if not inside:
            return _special_use(address)
        return next((f"{address} carries {text}" for text in map(self._objection, inside) if text), None)

    @staticmethod
    def _is_really_ipv4(address: Address) -> bool:
        """A mapped address is connected to over IPv4: only what is allowed for IPv4 counts."""
        return address in _MAPPED


def network(text: str) -> Network:
    """The CIDR block that a person wrote; a single address is a block of one."""
    try:
        block = ipaddress.ip_network(text)
    except ValueError as error:
        raise ConfigurationError(
            f"{text!r} is not a CIDR block ({error}); write it like {_example(text)}"
        ) from None
    if block.version == 6 and block.subnet_of(_MAPPED):  # noqa: PLR2004 - the version's own name
        low = int(block.network_address) & _LOW_32_BITS
        return ipaddress.IPv4Network((low, block.prefixlen - _MAPPED.prefixlen))
    return block


def embedded_ipv4(address: Address) -> tuple[ipaddress.IPv4Address, ...]:
    """The IPv4 addresses that an IPv6 address carries: mapped, compatible, NAT64, 6to4, and both of Teredo."""
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    number = int(address)
    if address in _MAPPED or address in _NAT64:
        return (ipaddress.IPv4Address(number & _LOW_32_BITS),)
    if address in _COMPATIBLE and number not in _UNSPECIFIED_AND_LOOPBACK:
        return (ipaddress.IPv4Address(number),)
    if address in _SIX_TO_FOUR:
        return (ipaddress.IPv4Address(number >> 80 & _LOW_32_BITS),)
    if address in _TEREDO:
        server, client = number >> 64 & _LOW_32_BITS, ~number & _LOW_32_BITS
        return (ipaddress.IPv4Address(server), ipaddress.IPv4Address(client))
    return ()


@lru_cache(maxsize=4096)
def _special_use(address: Address) -> str | None:
    row = next((row for block, row in _TABLE if address in block), None)
    if row is not None:
        return f"{address} is not a public address ({row})"
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return f"{address} is not a public address (outside global unicast, 2000::/3, RFC 4291)"
    return None


def _example(text: str) -> str:
    """What was probably meant: the block around an address with host bits set."""
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return "10.1.0.0/16 or fd00:1::/32"


def permitted(policy: AddressPolicy, candidates: Iterable[str]) -> list[str]:
    """The candidates that the policy permits, in their order."""
    return [address for address in candidates if policy.permits(address)]
