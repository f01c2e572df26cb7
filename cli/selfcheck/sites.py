"""Items about what the deployment is told to do: addresses, certificates, politeness, a name to ask."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from cli import targets
from cli.selfcheck.place import Check, Place
from headersweep.checklist import Area, Item, Looked, fail, ok
from headersweep.definition import UNLIMITED_RATE, RobotsMode, SiteDefinition
from models import selfcheck

METADATA = tuple(map(ipaddress.ip_address, ("169.254.169.254", "fd00:ec2::254")))
"""Where cloud machines get credentials: no site lives there."""
WIDEST = {4: 8, 6: 7}
"""Prefix lengths of the widest blocks that one network has for itself."""


def _sites(place: Place) -> list[SiteDefinition]:
    return [SiteDefinition.from_json(row.definition) for row in place.rows(selfcheck.definitions())]


def _judged(place: Place, wrong: Callable[[SiteDefinition], Iterator[str]], fine: str) -> Looked:
    found = [f"{site.name}: {said}" for site in _sites(place) for said in wrong(site)]
    return fail(*found[:20]) if found else ok(fine)


def addresses(place: Place) -> Looked:
    """Whether a site may lead to where credentials are handed out, or anywhere at all."""
    return _judged(place, _wide, "no site may lead to cloud metadata, or to more than one private network")


def _wide(site: SiteDefinition) -> Iterator[str]:
    for text in site.allow_addresses:
        block = ipaddress.ip_network(text, strict=False)
        if any(
            address in block for address in METADATA if address.version == block.version
        ) and not _is_private(text):
            yield f"allow_addresses {text} holds the address of cloud metadata"
        elif block.prefixlen < WIDEST[block.version]:
            yield f"allow_addresses {text} is wider than any private network"


def _is_private(text: str) -> bool:
    """The block of unique local addresses as a whole is what --allow-private stands for."""
    return text == "fc00::/7"


def certificates(place: Place) -> Looked:
    """Whether a site is swept although nobody knows whom the answers come from."""
    return _judged(place, _unverified, "every site's certificates are verified")


def _unverified(site: SiteDefinition) -> Iterator[str]:
    if site.allow_unverified_tls:
        yield "allow_unverified_tls = true"


def politeness(place: Place) -> Looked:
    """Whether somebody else's server is asked without any limit."""
    return _judged(
        place, _impolite, "every public site has a rate, and robots.txt is obeyed where others may be hit"
    )


def _impolite(site: SiteDefinition) -> Iterator[str]:
    if any(targets.is_public(urlsplit(url).hostname or "") for url in site.start_urls):
        if UNLIMITED_RATE in (site.rate, site.max_rate):
            yield "a public site without a limit of its rate"
        if site.robots is RobotsMode.IGNORE:
            yield 'robots = "ignore" on a public site'


def contact(place: Place) -> Looked:
    """Whether the operators of public sites know whom to ask."""
    if place.settings.contact:
        return ok(f"the user agent names {place.settings.contact}")
    return _judged(place, _nameless, "every public site's owner can be reached by what its file says")


def _nameless(site: SiteDefinition) -> Iterator[str]:
    is_public = any(targets.is_public(urlsplit(url).hostname or "") for url in site.start_urls)
    if is_public and "@" not in site.owner and not site.owner.startswith(("https://", "http://")):
        yield "a public site, HEADERSWEEP_CONTACT is not set, and the owner is no address"


def owners(place: Place) -> Looked:
    """Whether somebody answers for every site that is swept by itself."""
    return _judged(
        place, _unowned, "every scheduled site has an owner, an expected result and a rollback note"
    )


def _unowned(site: SiteDefinition) -> Iterator[str]:
    missing = [name for name in ("owner", "expected_result", "rollback_note") if not getattr(site, name)]
    if site.schedule and missing:
        yield f"without {', '.join(missing)}"


CHECKS = (
    Check(
        Item(
            "self.address_policy", Area.PERMISSIONS, "No site leads to cloud metadata, or anywhere at all",
            "allow_addresses of the enabled sites",
            "private networks by name, never 169.254.169.254 or the whole Internet",
            "the old allow_addresses in the site's file, then `headersweep sites apply`",
            "name the networks that the site really lives in",
        ),
        addresses,
    ),
    Check(
        Item(
            "self.tls_verification", Area.PERMISSIONS, "Every certificate is verified",
            "allow_unverified_tls of the enabled sites",
            "false everywhere",
            "allow_unverified_tls = true in the site's file, then `headersweep sites apply`",
            "mend the certificate, then remove the key",
        ),
        certificates,
    ),
    Check(
        Item(
            "self.politeness", Area.UPLOAD_LIMITS, "Public sites are asked within limits",
            "rate, max_rate and robots of the enabled sites",
            "a rate on every public site, and robots.txt obeyed",
            "the old keys in the site's file, then `headersweep sites apply`",
            'give the site a rate, and robots = "obey"',
        ),
        politeness,
    ),
    Check(
        Item(
            "self.contact", Area.LOGGING, "Whoever sees our requests knows whom to ask",
            "HEADERSWEEP_CONTACT, and the owners of the enabled sites",
            "a mail address or URL",
            "unset HEADERSWEEP_CONTACT",
            "HEADERSWEEP_CONTACT=mailto:you@your.site",
        ),
        contact,
    ),
    Check(
        Item(
            "self.owners", Area.PERMISSIONS, "Somebody answers for every scheduled site",
            "owner, expected_result and rollback_note of the enabled sites",
            "all three, for each site with a schedule",
            "nothing to undo",
            "write them into the site's file, then `headersweep sites apply`",
        ),
        owners,
    ),
)  # fmt: skip
