"""Explanations of what stands in site files: keys, sites with their schedules, expectations, waivers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cli.explaining.explanation import SITE_OWNER, Explanation, who_switched_off
from headersweep import cachekeys, policykeys, sitekeys
from headersweep.cacherules import CacheRule
from headersweep.definition import SiteDefinition
from headersweep.policies import Expectation, Waiver
from headersweep.sitekeys import Key


def keys() -> Iterator[Explanation]:
    """Every key of a site file."""
    for tables in (policykeys.LISTS, cachekeys.TABLES):
        yield from (_key(key) for keys in tables.values() for key in keys)
    yield from map(_key, sitekeys.KEYS)


def _key(key: Key) -> Explanation:
    return Explanation(
        "key of a site file",
        key.path,
        f"A {key.kind}: {key.meaning}. Allowed: {key.allowed}.",
        f"As in: {key.keys[-1]} = {key.example}",
        "it is required" if key.required else "leave it out",
        SITE_OWNER,
        # In tables of their own, keys stand by the part behind their table.
        rf'"{key.path}",|_key\("{key.path.partition(".")[2]}",',
        "docs/site-files.md",
    )


def of_sites(definitions: Sequence[SiteDefinition]) -> Iterator[Explanation]:
    """Every site of the folder, with what its file gives a name."""
    for site in definitions:
        yield _site(site)
        for item in site.expect:
            yield Explanation(
                "expectation",
                f"{site.name}/{item.name}",
                f"What {site.name} expects of the header {item.header}, on {item.path}.",
                item.why,
                "enabled = false in its [[expect]]",
                item.owner,
                "",
                "docs/site-files.md",
                decided=_said_in_file(item),
            )
        for waiver in site.waiver:
            yield Explanation(
                "waiver",
                f"{site.name}/{waiver.label}",
                f"Excuses {waiver.label} on {site.name} until {waiver.expires}. To take it back: {waiver.rollback_note}",
                waiver.reason,
                "delete its [[waiver]], or enabled = false",
                waiver.owner,
                "",
                "docs/site-files.md",
                decided=_said_in_file(waiver),
            )
        for rule in site.cache:
            yield Explanation(
                "cache rule",
                f"{site.name}/{rule.name}",
                f"Pages of {site.name} that shared caches should handle in one way: {rule.expect.shared}. To take it back: {rule.rollback_note}",
                rule.why,
                "enabled = false in its [[cache]]; probes are off without [probes] cache = true",
                rule.owner,
                "",
                f"headersweep cache docs {site.name}",
                decided=_said_in_file(rule),
            )
        for switch in site.switch:
            yield Explanation(
                "switch",
                f"{site.name}/{switch.what}",
                f"Switches {switch.what} {'on' if switch.enabled else 'off'} for {site.name}.",
                switch.reason,
                "delete its [[switch]], here or in _all.toml",
                switch.owner,
                "",
                "docs/site-files.md",
                decided=who_switched_off(switch),
            )


def _site(site: SiteDefinition) -> Explanation:
    when = f"swept at {site.schedule} ({site.timezone})" if site.schedule else "swept only on request"
    return Explanation(
        "site",
        site.name,
        f"{', '.join(site.start_urls[:3])}; {when}. Expected: {site.expected_result or 'nobody said'}",
        f"To undo a change of its headers: {site.rollback_note or 'nobody said'}",
        "enabled = false in its file, then `headersweep sites apply`; at once: "
        f"`headersweep sites disable {site.name}`; everything: `headersweep pause`",
        site.owner or "nobody said",
        "",
        f"headersweep sites show {site.name}",
        decided=_said_in_file(site),
    )


def _said_in_file(item: Expectation | Waiver | CacheRule | SiteDefinition) -> str:
    return "" if item.enabled else f"{item.owner}: enabled = false in the site's file"
