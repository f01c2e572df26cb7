"""The page for people that the cache rules of a site make, in Markdown: what is tested is what is written there."""

from __future__ import annotations

from collections.abc import Iterator

from headersweep import cachematch, durations
from headersweep.cacherules import ANY, METHODS, CacheKind, CacheRule, Match, Shared
from headersweep.definition import SiteDefinition
from review.reports.markdown import plain as escaped

_EXPECTED = {
    Shared.CACHED: "Shared caches should keep these pages and give them to every visitor",
    Shared.NOT_CACHED: "Shared caches should not keep these pages",
}
_BYPASS = {Shared.CACHED: "still from the cache", Shared.NOT_CACHED: "never from the cache, never stored"}
_KINDS = {
    CacheKind.RFC9111: "a shared cache by the standard (RFC 9111)",
    CacheKind.CDN: "a CDN that obeys CDN-Cache-Control (RFC 9213)",
    CacheKind.NGINX: "nginx with proxy_cache",
    CacheKind.VARNISH: "Varnish with its built-in VCL",
}


def markdown(definition: SiteDefinition) -> str:
    """The whole page."""
    lines = [
        f"# Cache rules of {escaped(definition.name)}",
        "",
        f"Judged as {_KINDS[definition.cache_kind]}. The first rule that matches a URL holds it, from the top.",
        "This page is printed by `headersweep cache docs` from the same rules that `headersweep cache verify` checks.",
        "",
        "| rule | pages | shared caches | owner |",
        "| --- | --- | --- | --- |",
    ]
    lines += [_row(rule) for rule in definition.cache]
    for rule in definition.cache:
        lines += _section(rule, definition.start_urls[0])
    return "\n".join(lines)


def _row(rule: CacheRule) -> str:
    off = "" if rule.enabled else " (switched off)"
    cells = (f"{rule.name}{off}", _where(rule.match), str(rule.expect.shared).replace("_", " "), rule.owner)
    return f"| {' | '.join(map(escaped, cells))} |"


def _section(rule: CacheRule, start_url: str) -> Iterator[str]:
    yield from ("", f"## {escaped(rule.name)}{'' if rule.enabled else ' (switched off)'}", "")
    yield f"- **Owner:** {escaped(rule.owner)}"
    yield f"- **Why:** {escaped(rule.why)}"
    yield f"- **Pages:** {escaped(_where(rule.match))}"
    yield f"- **Expected:** {escaped(_expected(rule))}"
    yield f"- **Rollback:** {escaped(rule.rollback_note)}"
    if rule.bypass:
        yield from ("", "| bypassed by | expected then | why |", "| --- | --- | --- |")
    for bypass in rule.bypass:
        cells = (bypass.label, _BYPASS[bypass.expect], bypass.why)
        yield f"| {' | '.join(map(escaped, cells))} |"
    for title, examples in (("Should", rule.should_cache), ("Should not", rule.should_not_cache)):
        yield from ("", f"{title} be cached:", "")
        yield from (f"- {escaped(_url(each, rule, start_url))}" for each in examples)


def _url(example: str, rule: CacheRule, start_url: str) -> str:
    return cachematch.resolve(example, rule.match, start_url) or example


def _where(match: Match) -> str:
    host = "every host" if match.host == ANY else match.host
    path = "every path" if match.path == ANY else match.path
    parts = [f"{path} on {host}"]
    if match.query is not None:
        parts.append(
            f"with no other parameters than {', '.join(match.query)}" if match.query else "without a query"
        )
    if set(match.methods) != set(METHODS):
        parts.append(f"{' and '.join(match.methods)} only")
    return ", ".join(parts)


def _expected(rule: CacheRule) -> str:
    expect, parts = rule.expect, [_EXPECTED[rule.expect.shared]]
    if expect.shared is Shared.NOT_CACHED:
        return f"{parts[0]}."
    if expect.min_lifetime is not None:
        parts.append(f"for at least {durations.of_seconds(expect.min_lifetime)}")
    if expect.max_lifetime is not None:
        parts.append(f"for at most {durations.of_seconds(expect.max_lifetime)}")
    if expect.vary is not None:
        parts.append(f"varying by {', '.join(expect.vary)} alone" if expect.vary else "without Vary")
    parts.append("cookies allowed" if expect.set_cookie else "without Set-Cookie")
    return f"{', '.join(parts)}."
