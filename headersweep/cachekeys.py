"""The keys of ``[[cache]]`` in a site file, from which docs/site-files.md is written too."""

from __future__ import annotations

import re

from headersweep import durations
from headersweep.cacherules import METHODS, Condition, Shared
from headersweep.sitekeys import Check, Key, Kind, pattern, said

CACHE = "cache"
MATCH = "match"
EXPECT = "expect"
BYPASS = "bypass"

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,200}")
_HOST = re.compile(r"[a-z0-9.*_-]{1,253}|\[[0-9a-f:.]{2,45}\]")
_ANY_TEXT = "any text, not empty"
_SHARED = ", ".join(f'`"{each}"`' for each in Shared)
_EXAMPLE = "URLs, or paths that begin with `/`"
_DURATION = "a duration: `90s`, `10m`, `24h`, `7d`"


def _name(value: str) -> str | None:
    return (
        None if _NAME.fullmatch(value) else "allowed are small letters, digits, dots, hyphens and underscores"
    )


def _token(value: str) -> str | None:
    return (
        None
        if _TOKEN.fullmatch(value)
        else "it is no name of a cookie or header, nor a pattern of such names"
    )


def _host(value: str) -> str | None:
    return (
        None
        if _HOST.fullmatch(value)
        else "it is no host in small letters, without port, such as www.example.com or *.example.com"
    )


def _path(value: str) -> str | None:
    if not value.startswith(("/", "*")):
        return "a path begins with / or *"
    return "a path has no query; match.query names its parameters" if "?" in value else pattern(value)


def _shared(value: str) -> str | None:
    return None if value in list(Shared) else f"allowed are {' and '.join(Shared)}"


def _method(value: str) -> str | None:
    return None if value in METHODS else f"caches keep answers to {' and '.join(METHODS)} alone"


def _duration(value: str) -> str | None:
    try:
        durations.parse(value)
    except ValueError as error:
        return str(error)
    return None


def _example(value: str) -> str | None:
    if value.startswith(("/", "https://", "http://")):
        return pattern(value)
    return "an example is a URL, or a path that begins with /"


def _anything(_value: bool) -> str | None:
    return None


def _key(  # noqa: PLR0913, PLR0917 - the columns of a table
    path: str, kind: Kind, allowed: str, meaning: str, example: str, check: Check, *, required: bool = False
) -> Key:
    return Key(f"{CACHE}.{path}", kind, allowed, meaning, example, check, required)


RULE_KEYS = (
    _key("name", Kind.TEXT, "small letters, digits, `.`, `-`, `_`; unique in the file", "what findings and the page for people call the rule", '"articles"', _name, required=True),
    _key("owner", Kind.TEXT, _ANY_TEXT, "who answers for it", '"web platform"', said, required=True),
    _key("why", Kind.TEXT, _ANY_TEXT, "why these pages are cached, or are not", '"keeps load off the origin during campaigns"', said, required=True),
    _key("rollback_note", Kind.TEXT, _ANY_TEXT, "what to do when the rule does harm", '"disable rule 14 in the CDN, then purge www.example.com"', said, required=True),
    _key("enabled", Kind.BOOLEAN, "`true`, `false`", "`false`: its pages are not judged, and fall to no other rule; `true` without it", "true", _anything),
    _key("should_cache", Kind.TEXTS, _EXAMPLE, "pages that should be cached, at least one", '["/blog/first-post", "/blog/?page=2"]', _example, required=True),
    _key("should_not_cache", Kind.TEXTS, _EXAMPLE, "pages that should not be cached, at least one: by a bypass of this rule, or by another rule", '["/blog/first-post?preview=1"]', _example, required=True),
)  # fmt: skip

MATCH_KEYS = (
    _key("match.host", Kind.TEXT, "a host without port; `*` is any run of characters", "hosts that the rule is for; without it: all", '"www.example.com"', _host),
    _key("match.path", Kind.TEXT, "a pattern that begins with `/` or `*`", "paths that the rule is for, without query: `*` is any run of characters, slashes too; without it: all", '"/blog/*"', _path),
    _key("match.methods", Kind.TEXTS, '`"GET"`, `"HEAD"`', "methods that the rule is for; without it: both", '["GET", "HEAD"]', _method),
    _key("match.query", Kind.TEXTS, "patterns of parameters' names", "parameters that the query may have; `[]`: no query at all; without it: any", '["page", "preview"]', pattern),
)  # fmt: skip

EXPECT_KEYS = (
    _key("expect.shared", Kind.TEXT, _SHARED, "whether shared caches (proxies, CDNs) should give one visitor's answer to others", '"cached"', _shared, required=True),
    _key("expect.min_lifetime", Kind.TEXT, _DURATION, "the least time for which they should", '"1m"', _duration),
    _key("expect.max_lifetime", Kind.TEXT, _DURATION, "the longest", '"1h"', _duration),
    _key("expect.vary", Kind.TEXTS, "names of headers", "request headers that the answer may vary by; `[]`: none; without it: any", '["Accept-Encoding"]', _token),
    _key("expect.set_cookie", Kind.BOOLEAN, "`true`, `false`", "whether a cached answer may set cookies; `false` without it", "false", _anything),
)  # fmt: skip

BYPASS_KEYS = (
    _key("bypass.cookie", Kind.TEXT, "a name, or a pattern with `*`", "the request has such a cookie", '"wordpress_logged_in_*"', _token),
    _key("bypass.query", Kind.TEXT, "a name, or a pattern with `*`", "the URL has such a parameter", '"preview"', pattern),
    _key("bypass.header", Kind.TEXT, "a name, or a pattern with `*`", "the request has such a header", '"Authorization"', _token),
    _key("bypass.why", Kind.TEXT, _ANY_TEXT, "why that makes a difference", '"the page shows who is logged in"', said, required=True),
    _key("bypass.expect", Kind.TEXT, _SHARED, "what is expected then; `not_cached` without it", '"not_cached"', _shared),
    _key("bypass.example", Kind.TEXT, "a URL, or a path that begins with `/`", "the page of this rule to ask for with that cookie or header; needed for these two", '"/blog/first-post"', _example),
)  # fmt: skip

TABLES = {"": RULE_KEYS, MATCH: MATCH_KEYS, EXPECT: EXPECT_KEYS, BYPASS: BYPASS_KEYS}
"""The keys of a rule by the table below ``[[cache]]`` that they stand in."""

HEADS = {
    "": f"[[{CACHE}]]",
    MATCH: f"{CACHE}.{MATCH}",
    EXPECT: f"{CACHE}.{EXPECT}",
    BYPASS: f"[[{CACHE}.{BYPASS}]]",
}


def key_table() -> str:
    """The table of the keys below ``[[cache]]``, in Markdown."""
    rows = ["| key | type | required | allowed | meaning |", "| --- | --- | --- | --- | --- |"]
    rows += [
        f"| `{key.path}` | {key.kind} | {'**yes**' if key.required else 'no'} | {key.allowed} | {key.meaning} |"
        for keys in TABLES.values()
        for key in keys
    ]
    return "\n".join(rows) + "\n"


def example() -> str:
    """A rule as it stands in a file, which is itself right."""
    lines = [f"[[{CACHE}]]"]
    lines += [f"{key.keys[-1]} = {key.example}" for key in RULE_KEYS]
    lines += [f"{'.'.join(key.keys[1:])} = {key.example}" for key in (*MATCH_KEYS, *EXPECT_KEYS)]
    for condition in Condition:
        lines += ["", f"[[{CACHE}.{BYPASS}]]"]
        lines += [
            f"{key.keys[-1]} = {key.example}"
            for key in BYPASS_KEYS
            if key.keys[-1] in {condition, "why", "expect"}
            or (key.keys[-1] == "example" and condition is not Condition.QUERY)
        ]
    return "\n".join(lines) + "\n"
