"""Headers that tell what an answer was made with: one table, with OWASP's list of headers to remove in it.

The list is that of the OWASP Secure Headers Project of 19 July 2026 (87 names); the kinds are ours.
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a header gives away."""

    TECHNOLOGY = "technology"
    """Software, perhaps with its version."""
    INFRASTRUCTURE = "infrastructure"
    """Nodes, proxies and back ends."""
    TRACING = "tracing"
    """Identifiers of requests in monitoring."""
    SOURCE = "source"
    """Where source code is."""
    DEBUG = "debug"
    """What only developers need."""
    CACHING = "caching"
    """The workings of a server's cache."""


OWASP_2026_07: dict[str, Kind] = {
    "$wsep": Kind.TECHNOLOGY,
    "host-header": Kind.INFRASTRUCTURE,
    "k-proxy-request": Kind.INFRASTRUCTURE,
    "liferay-portal": Kind.TECHNOLOGY,
    "oraclecommercecloud-version": Kind.TECHNOLOGY,
    "pega-host": Kind.INFRASTRUCTURE,
    "powered-by": Kind.TECHNOLOGY,
    "product": Kind.TECHNOLOGY,
    "server": Kind.TECHNOLOGY,
    "sourcemap": Kind.SOURCE,
    "x-aspnet-version": Kind.TECHNOLOGY,
    "x-aspnetmvc-version": Kind.TECHNOLOGY,
    "x-atmosphere-error": Kind.DEBUG,
    "x-atmosphere-first-request": Kind.TECHNOLOGY,
    "x-atmosphere-tracking-id": Kind.TECHNOLOGY,
    "x-b3-parentspanid": Kind.TRACING,
    "x-b3-sampled": Kind.TRACING,
    "x-b3-spanid": Kind.TRACING,
    "x-b3-traceid": Kind.TRACING,
    "x-beserver": Kind.INFRASTRUCTURE,
    "x-backside-transport": Kind.INFRASTRUCTURE,
    "x-cf-powered-by": Kind.TECHNOLOGY,
    "x-cms": Kind.TECHNOLOGY,
    "x-calculatedbetarget": Kind.INFRASTRUCTURE,
    "x-cocoon-version": Kind.TECHNOLOGY,
    "x-content-encoded-by": Kind.TECHNOLOGY,
    "x-datadog-origin": Kind.TRACING,
    "x-datadog-parent-id": Kind.TRACING,
    "x-datadog-sampling-priority": Kind.TRACING,
    "x-datadog-tags": Kind.TRACING,
    "x-datadog-trace-id": Kind.TRACING,
    "x-diaginfo": Kind.INFRASTRUCTURE,
    "x-envoy-attempt-count": Kind.INFRASTRUCTURE,
    "x-envoy-external-address": Kind.INFRASTRUCTURE,
    "x-envoy-internal": Kind.INFRASTRUCTURE,
    "x-envoy-original-dst-host": Kind.INFRASTRUCTURE,
    "x-envoy-upstream-service-time": Kind.INFRASTRUCTURE,
    "x-feserver": Kind.INFRASTRUCTURE,
    "x-framework": Kind.TECHNOLOGY,
    "x-generated-by": Kind.TECHNOLOGY,
    "x-generator": Kind.TECHNOLOGY,
    "x-gitlab-meta": Kind.TRACING,
    "x-jitsi-release": Kind.TECHNOLOGY,
    "x-joomla-version": Kind.TECHNOLOGY,
    "x-kong-admin-latency": Kind.INFRASTRUCTURE,
    "x-kong-client-latency": Kind.INFRASTRUCTURE,
    "x-kong-proxy-latency": Kind.INFRASTRUCTURE,
    "x-kong-request-id": Kind.TRACING,
    "x-kong-response-latency": Kind.INFRASTRUCTURE,
    "x-kong-third-party-latency": Kind.INFRASTRUCTURE,
    "x-kong-total-latency": Kind.INFRASTRUCTURE,
    "x-kong-upstream-latency": Kind.INFRASTRUCTURE,
    "x-kong-upstream-status": Kind.INFRASTRUCTURE,
    "x-kubernetes-pf-flowschema-ui": Kind.INFRASTRUCTURE,
    "x-kubernetes-pf-prioritylevel-uid": Kind.INFRASTRUCTURE,
    "x-litespeed-cache": Kind.CACHING,
    "x-litespeed-purge": Kind.CACHING,
    "x-litespeed-tag": Kind.CACHING,
    "x-litespeed-vary": Kind.CACHING,
    "x-litespeed-cache-control": Kind.CACHING,
    "x-mod-pagespeed": Kind.TECHNOLOGY,
    "x-nextjs-cache": Kind.CACHING,
    "x-nextjs-matched-path": Kind.TECHNOLOGY,
    "x-nextjs-page": Kind.TECHNOLOGY,
    "x-nextjs-redirect": Kind.TECHNOLOGY,
    "x-owa-version": Kind.TECHNOLOGY,
    "x-old-content-length": Kind.TECHNOLOGY,
    "x-oneagent-js-injection": Kind.TRACING,
    "x-page-speed": Kind.TECHNOLOGY,
    "x-php-version": Kind.TECHNOLOGY,
    "x-powered-by": Kind.TECHNOLOGY,
    "x-powered-by-plesk": Kind.TECHNOLOGY,
    "x-powered-cms": Kind.TECHNOLOGY,
    "x-redirect-by": Kind.TECHNOLOGY,
    "x-server-powered-by": Kind.TECHNOLOGY,
    "x-sourcefiles": Kind.SOURCE,
    "x-sourcemap": Kind.SOURCE,
    "x-turbo-charged-by": Kind.TECHNOLOGY,
    "x-tyk-trace-id": Kind.TRACING,
    "x-umbraco-version": Kind.TECHNOLOGY,
    "x-varnish-backend": Kind.INFRASTRUCTURE,
    "x-varnish-server": Kind.INFRASTRUCTURE,
    "x-woodpecker-version": Kind.TECHNOLOGY,
    "x-dtagentid": Kind.TRACING,
    "x-dthealthcheck": Kind.TRACING,
    "x-dtinjectedservlet": Kind.TRACING,
    "x-ruxit-js-agent": Kind.TRACING,
}
"""The names in lower case, in the order of the list."""

ALSO: dict[str, Kind] = {
    "x-drupal-cache": Kind.CACHING,
    "x-drupal-dynamic-cache": Kind.CACHING,
    "x-magento-cache-debug": Kind.DEBUG,
    "x-magento-tags": Kind.CACHING,
    "x-pingback": Kind.TECHNOLOGY,
    "x-rack-cache": Kind.CACHING,
    "x-runtime": Kind.TECHNOLOGY,
    "x-wix-renderer-server": Kind.INFRASTRUCTURE,
    "microsoftsharepointteamservices": Kind.TECHNOLOGY,
    "sprequestguid": Kind.TRACING,
    "x-sharepointhealthscore": Kind.INFRASTRUCTURE,
    "x-jenkins": Kind.TECHNOLOGY,
    "x-hudson": Kind.TECHNOLOGY,
    "x-confluence-request-time": Kind.TECHNOLOGY,
    "x-app-server": Kind.INFRASTRUCTURE,
    "x-backend": Kind.INFRASTRUCTURE,
    "x-backend-host": Kind.INFRASTRUCTURE,
    "x-backend-server": Kind.INFRASTRUCTURE,
    "x-server": Kind.INFRASTRUCTURE,
    "x-server-name": Kind.INFRASTRUCTURE,
    "x-served-by": Kind.INFRASTRUCTURE,
    "x-host": Kind.INFRASTRUCTURE,
    "x-hostname": Kind.INFRASTRUCTURE,
    "x-node": Kind.INFRASTRUCTURE,
    "x-pod": Kind.INFRASTRUCTURE,
    "x-instance": Kind.INFRASTRUCTURE,
    "x-upstream": Kind.INFRASTRUCTURE,
    "x-varnish": Kind.INFRASTRUCTURE,
    "x-forwarded-for": Kind.INFRASTRUCTURE,
    "x-real-ip": Kind.INFRASTRUCTURE,
    "x-clockwork-id": Kind.DEBUG,
    "x-xdebug-profile-filename": Kind.DEBUG,
    "x-chromelogger-data": Kind.DEBUG,
    "x-chromephp-data": Kind.DEBUG,
}
"""Further ones, as servers send them."""

BEGINNINGS: tuple[tuple[str, Kind], ...] = (
    ("x-debug", Kind.DEBUG),  # Symfony's profiler among them
    ("x-wf-", Kind.DEBUG),  # FirePHP
)
VERSION_ENDINGS = ("-version", "-release")
"""A header that ends so tells a version, whatever stands before."""

PUBLIC_VERSIONS = frozenset({"api-version", "x-api-version", "odata-version", "dataserviceversion"})
"""Versions of interfaces, which clients have to know."""

_BEGINNINGS = tuple(beginning for beginning, _ in BEGINNINGS)
_TABLE = OWASP_2026_07 | ALSO


def kind_of(name: str) -> Kind | None:
    """What the header of that lower-case name gives away; None where it is none of them."""
    kind = _TABLE.get(name)
    if kind is not None:
        return kind
    if name.startswith("x-") and name.endswith(VERSION_ENDINGS) and name not in PUBLIC_VERSIONS:
        return Kind.TECHNOLOGY
    return _by_beginning(name) if name.startswith(_BEGINNINGS) else None


def _by_beginning(name: str) -> Kind:
    return next(kind for beginning, kind in BEGINNINGS if name.startswith(beginning))
