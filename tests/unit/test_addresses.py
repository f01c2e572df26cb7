"""Which addresses are permitted: the registries, embedded IPv4, and what an owner allows."""

from __future__ import annotations

import ipaddress

import pytest

from headersweep import addresses
from headersweep.addresses import AddressPolicy
from headersweep.errors import ConfigurationError

PUBLIC = AddressPolicy()

DENIED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.9",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "100::1",
    "2001:0:7f00:1::ffff:ffff",
    "2001:0:808:808::f5ff:fffe",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:1::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
    "3ffe::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
]

PERMITTED = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2001:200::1",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
    "2001:0:808:808::f7f7:f7f7",
]


@pytest.mark.parametrize("address", DENIED)
def test_an_address_that_is_not_public_unicast_is_denied(address: str) -> None:
    assert not PUBLIC.permits(address)


@pytest.mark.parametrize("address", PERMITTED)
def test_a_public_address_is_permitted(address: str) -> None:
    assert PUBLIC.permits(address)


@pytest.mark.parametrize("row", [*addresses.SPECIAL_IPV4, *addresses.SPECIAL_IPV6], ids=str)
def test_both_ends_of_every_registry_block_are_denied(row: addresses.SpecialBlock) -> None:
    block = ipaddress.ip_network(row.cidr)
    assert not PUBLIC.permits(str(block[0]))
    assert not PUBLIC.permits(str(block[-1]))


@pytest.mark.parametrize(
    "text",
    [
        "fe80::1%eth0",
        "::1%lo",
        "2606:4700::1%eth0",
        "127.1",
        "0x7f000001",
        "2130706433",
        "",
        "localhost",
        "1.1.1.1/32",
        "[::1]",
    ],
)
def test_what_is_no_plain_address_is_denied(text: str) -> None:
    assert not PUBLIC.permits(text)
    assert not AddressPolicy(("0.0.0.0/0", "::/0")).permits(text)


def test_an_allowed_block_is_permitted_and_its_neighbours_are_not() -> None:
    policy = AddressPolicy(("10.1.0.0/16",))
    assert policy.permits("10.1.255.255")
    assert not policy.permits("10.2.0.0")
    assert policy.permits("8.8.8.8")


def test_allowing_a_block_also_allows_ipv6_addresses_that_carry_it() -> None:
    policy = AddressPolicy(("10.1.0.0/16",))
    assert policy.permits("::ffff:10.1.2.3")
    assert policy.permits("64:ff9b::10.1.2.3")
    assert not policy.permits("::ffff:10.2.2.3")


def test_allowing_all_ipv6_does_not_open_ipv4_through_mapped_addresses() -> None:
    policy = AddressPolicy(("::/0",))
    assert policy.permits("fd00::1")
    assert not policy.permits("::ffff:127.0.0.1")


def test_a_block_written_as_mapped_ipv6_means_the_ipv4_block() -> None:
    policy = AddressPolicy(("::ffff:10.0.0.0/104",))
    assert policy.permits("10.9.9.9")
    assert policy.permits("::ffff:10.9.9.9")
    assert not policy.permits("192.168.9.9")


def test_allow_private_opens_private_networks_but_not_cloud_metadata() -> None:
    policy = AddressPolicy(addresses.ALLOW_PRIVATE)
    inside = ["127.0.0.1", "::1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "fd00::1"]
    assert [address for address in inside if not policy.permits(address)] == []
    outside = ["169.254.169.254", "fe80::1", "fe80::1%eth0", "224.0.0.1", "0.0.0.0", "::ffff:169.254.169.254"]
    assert [address for address in outside if policy.permits(address)] == []


def test_a_single_address_is_a_block_of_one() -> None:
    policy = AddressPolicy(("169.254.169.254",))
    assert policy.permits("169.254.169.254")
    assert not policy.permits("169.254.169.253")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("10.0.0.1/8", "10.0.0.0/8"),
        ("ten", "10.1.0.0/16"),
        ("10.0.0.0/33", "10.1.0.0/16"),
        ("", "10.1.0.0/16"),
    ],
)
def test_a_block_that_is_no_cidr_is_refused_with_an_example(text: str, hint: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a CIDR block") as refused:
        AddressPolicy((text,))
    assert hint in str(refused.value)


def test_the_objection_names_the_block_and_its_rfc() -> None:
    assert (
        PUBLIC.objection("127.0.0.1") == "127.0.0.1 is not a public address (loopback, 127.0.0.0/8, RFC 1122)"
    )
    carried = PUBLIC.objection("64:ff9b::7f00:1")
    assert carried is not None
    assert "carries 127.0.0.1" in carried
    assert PUBLIC.objection("8.8.8.8") is None


def test_policies_with_the_same_blocks_are_equal_so_that_they_can_share_connections() -> None:
    assert AddressPolicy(("10.0.0.0/8",)) == AddressPolicy(("10.0.0.0/8",))
    assert hash(AddressPolicy(("10.0.0.0/8",))) == hash(AddressPolicy(("10.0.0.0/8",)))
    assert AddressPolicy(("10.0.0.0/8",)) != AddressPolicy()
