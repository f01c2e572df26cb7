"""The hardening checklist of a site: what a run and its probes show of each item. Pure: what was seen in, verdicts out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from headersweep import checklist, urlsecrets
from headersweep.checklist import Area, Declaration, Item, Line, Looked, fail, ok, unknown
from headersweep.probes import ProbeKind
from headersweep.responses import ResponseClass
from review.finding import Severity
from review.policy import rules
from review.report import Cause

SWITCHED_OFF = rules.SWITCHED_OFF.code
SHOWN = 5
"""So many causes or URLs are named as evidence."""


@dataclass(frozen=True, slots=True)
class Probed:
    """How the probes of one kind stand."""

    answered: int = 0
    waiting: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a site after a run: causes under its policy, and how its probes stand."""

    run_id: int
    owner: str
    pages: int
    causes: tuple[Cause, ...]
    probed: Mapping[str, Probed] = field(default_factory=dict)
    """By kind, those that the site asks for."""
    secret_urls: tuple[str, ...] = ()
    """Pages whose URL carries a secret by its name; values masked."""
    unverified: int = 0
    """Pages that were taken although their certificate was not valid."""
    refused: int = 0
    """Pages that could not be fetched for want of a connection that TLS vouches for."""
    visits_kept: bool = True
    """Whether the run's visits are still there; without them nobody knows its URLs and connections."""
    endpoints: int = 0
    """Endpoints for reports that the site's headers name."""


Look = Callable[[Seen], Looked]


@dataclass(frozen=True, slots=True)
class Check:
    """One item, and how to look."""

    item: Item
    look: Look


def examine(seen: Seen, declarations: Iterable[Declaration], today: date) -> list[Line]:
    """Every line of a site's checklist."""
    said = list(declarations)
    return [checklist.settle(check.item, check.look(seen), seen.owner, said, today) for check in CHECKS]


# --- ways of looking ---------------------------------------------------------------------------------------------


def _findings(
    *codes: str, least: Severity = Severity.LOW, classes: frozenset[ResponseClass] | None = None
) -> Look:
    """Fails where the run shows a finding of one of these codes or concerns, at least so bad, that nobody excused."""

    def look(seen: Seen) -> Looked:
        shown = [cause for cause in seen.causes if _is_meant(cause, codes, least, classes)]
        bad = [cause for cause in shown if not cause.waived_by]
        if bad:
            return fail(*(_said(cause) for cause in bad[:SHOWN]), *_more(len(bad)))
        off = [
            f"{cause.subject} is switched off: {cause.detail}"
            for cause in seen.causes
            if _is_off(cause, codes)
        ]
        if off:
            # Who switches off what he does not want to hear of does not make it safe.
            return unknown(*off[:SHOWN])
        excused = [f"{_said(cause)}; waived by {cause.waived_by}" for cause in shown]
        return ok(
            f"run {seen.run_id}: nothing of {', '.join(codes)} on {seen.pages:,} pages", *excused[:SHOWN]
        )

    return look


def _is_meant(
    cause: Cause, codes: Iterable[str], least: Severity, classes: frozenset[ResponseClass] | None
) -> bool:
    is_named = any(cause.code == code or cause.code.startswith(f"{code}.") for code in codes)
    return (
        is_named
        and cause.severity.rank >= least.rank
        and (classes is None or bool(classes & set(cause.classes)))
    )


def _is_off(cause: Cause, codes: Iterable[str]) -> bool:
    """Whether a switch hides something of these codes or concerns."""
    concern = cause.subject.partition(".")[0]
    return cause.code == SWITCHED_OFF and any(code in {concern, cause.subject} for code in codes)


def _said(cause: Cause) -> str:
    about = f" ({cause.subject})" if cause.subject else ""
    where = f", such as {cause.sample_urls[0]}" if cause.sample_urls else ""
    detail = f": {cause.detail}" if cause.detail else ""
    return urlsecrets.masked(f"{cause.code}{about} on {cause.pages:,} pages{where}{detail}")


def _more(count: int) -> tuple[str, ...]:
    return (f"and {count - SHOWN} more",) if count > SHOWN else ()


def _probed(kind: str, *codes: str, beside: Look | None = None) -> Look:
    """What probes of a kind show. Where nobody asked for them, or not all were answered, nobody knows; a finding is one anyway."""

    def look(seen: Seen) -> Looked:
        plain = beside(seen) if beside else ok()
        found = _findings(*codes)(seen)
        if checklist.Verdict.FAIL in {plain.verdict, found.verdict}:
            bad = [each for each in (plain, found) if each.verdict is checklist.Verdict.FAIL]
            return fail(*(line for each in bad for line in each.evidence))
        if checklist.Verdict.UNKNOWN in {plain.verdict, found.verdict}:
            return unknown(
                *plain.evidence, *(found.evidence if found.verdict is checklist.Verdict.UNKNOWN else ())
            )
        stand = seen.probed.get(kind)
        if stand is None:
            return unknown(
                *plain.evidence,
                f"nobody asked: [probes] {kind} = true in the site's file does, after the next run",
            )
        return _of_stand(kind, stand, plain)

    return look


def _of_stand(kind: str, stand: Probed, plain: Looked) -> Looked:
    said = f"probes of {kind}: {stand.answered} answered, {stand.waiting} waiting, {stand.failed} failed"
    if stand.waiting or not stand.answered or stand.failed > stand.answered:
        return unknown(*plain.evidence, said)
    return ok(*plain.evidence, said)


def _nobody_knows(why: str) -> Look:
    return lambda _seen: unknown(why)


def _urls(seen: Seen) -> Looked:
    if seen.secret_urls:
        return fail(*seen.secret_urls[:SHOWN], *_more(len(seen.secret_urls)))
    if not seen.visits_kept:
        return unknown(_dropped(seen))
    return ok(f"run {seen.run_id}: no URL of {seen.pages:,} pages holds a secret by name or form")


def _dropped(seen: Seen) -> str:
    return f"the visits of run {seen.run_id} are past retention; a new sweep shows it"


def _certificates(seen: Seen) -> Looked:
    counted = (
        (seen.unverified, "pages were fetched although their certificate is not valid"),
        (seen.refused, "pages were not fetched: TLS failed"),
    )
    bad = [f"{count:,} {what}" for count, what in counted if count]
    if bad:
        return fail(*bad)
    if not seen.visits_kept:
        return unknown(_dropped(seen))
    return ok(f"run {seen.run_id}: every page that came over https had a valid certificate")


def _endpoints(seen: Seen) -> Looked:
    if not seen.endpoints:
        return unknown("no header names an endpoint for reports: browsers report to nobody")
    return _probed("reporting_endpoints", "reporting.endpoint_silent")(seen)


_ERRORS = frozenset({ResponseClass.ERROR})
_HEADERS = "git revert in the server's or the CDN's settings, as the site's rollback note says"
_FILE = "the old site file from git, then `headersweep sites apply`"
_HOST = "put the server's old settings back"

CHECKS = (
    Check(
        Item("site.permissions_policy", Area.PERMISSIONS, "Pages say which features of the browser they use",
             "the Permissions-Policy that is in effect on every document", "one on every document, as narrow as the site needs",
             _HEADERS, "Permissions-Policy: camera=(), geolocation=(), microphone=()"),
        _findings("permissions_policy", "feature_policy", least=Severity.INFO),
    ),
    Check(
        Item("site.cors", Area.PERMISSIONS, "Other origins read only what they are meant to",
             "the CORS headers of every answer, and of answers to foreign origins", "no origin by reflection, none over http, none called null",
             _HEADERS, "Access-Control-Allow-Origin with one origin out of a list, and Vary: Origin"),
        _probed("cors", "cors.reflected_origin", "cors.reflected_null", "cors.origin_part_matched",
                beside=_findings("cors", least=Severity.MEDIUM)),
    ),
    Check(
        Item("site.index_listings", Area.PERMISSIONS, "No folder is listed",
             "the beginning of every page that was read", "none", _HOST, "nginx: autoindex off; Apache: Options -Indexes"),
        _findings("body.directory_listing"),
    ),
    Check(
        Item("site.server_accounts", Area.PERMISSIONS, "The server's account may change nothing that it serves",
             "nothing: it cannot be seen from outside", "files belong to another account than the server's; deployments are logged",
             _HOST, "chown and chmod what is published, and declare it"),
        _nobody_knows("cannot be seen from outside"),
    ),
    Check(
        Item("site.secrets_in_headers", Area.SECRETS, "No header holds a secret",
             "every header of every distinct answer", "no token, key, password, or inner name",
             _HEADERS, "withdraw the secret, then leave the header out"),
        _findings("secret"),
    ),
    Check(
        Item("site.secrets_in_urls", Area.SECRETS, "No URL holds a secret",
             "the URLs of all pages of the run", "no parameter called password, token, key, session or the like, and no key of a known form",
             "bring the old links back", "send it in a header or a body instead; URLs stand in logs and in Referer"),
        _urls,
    ),
    Check(
        Item("site.secrets_in_pages", Area.SECRETS, "No page holds a secret",
             "the first 64 KiB of every page that was read", "nothing that only an issuer of keys makes",
             "bring the old page back, with a new key", "withdraw the key, then take it out of the page"),
        _findings("body.secret"),
    ),
    Check(
        Item("site.exposed_files", Area.SECRETS, "No file that a deployment left behind can be fetched",
             "/.env, /.git/HEAD and the like on the origins of the start URLs, if the site asks for it", "none",
             _HOST, "publish a built folder, and deny names that begin with a dot"),
        _probed("exposed_files", "exposed"),
    ),
    Check(
        Item("site.secret_rotation", Area.SECRETS, "Secrets are changed on a schedule, and when people leave",
             "nothing: it cannot be seen from outside", "a date for each secret, and somebody who looks", "nothing to undo", "declare it"),
        _nobody_knows("cannot be seen from outside"),
    ),
    Check(
        Item("site.encryption", Area.HEADERS, "Everything comes over https, and browsers insist on it",
             "redirects, HSTS and mixed content of all pages", "no finding of medium severity or worse",
             "max-age=0 over https first; browsers that saw the old value stay pinned until it is over", "Strict-Transport-Security: max-age=31536000; includeSubDomains"),
        _findings("hsts", "redirect", "mixed_content", least=Severity.MEDIUM),
    ),
    Check(
        Item("site.certificates", Area.HEADERS, "Every certificate is valid",
             "the TLS connections of the run", "no page without a valid certificate", "nothing to undo", "renew it, and look why nobody did in time"),
        _certificates,
    ),
    Check(
        Item("site.csp", Area.HEADERS, "Injected scripts do not run",
             "the content security policies in effect on every document", "no finding of medium severity or worse",
             _HEADERS, "begin with Content-Security-Policy-Report-Only"),
        _findings("csp", "sri", least=Severity.MEDIUM),
    ),
    Check(
        Item("site.framing", Area.HEADERS, "Other sites cannot frame the pages",
             "X-Frame-Options and frame-ancestors together", "no finding of medium severity or worse", _HEADERS, "Content-Security-Policy: frame-ancestors 'self'"),
        _findings("x_frame_options", "csp.frame_ancestors_missing", "csp.frame_ancestors_wide", least=Severity.MEDIUM),
    ),
    Check(
        Item("site.content_types", Area.HEADERS, "Browsers do not guess types",
             "X-Content-Type-Options of documents, scripts and styles", "nosniff on all", _HEADERS, "X-Content-Type-Options: nosniff"),
        _findings("x_content_type_options"),
    ),
    Check(
        Item("site.referrers", Area.HEADERS, "URLs are not told to other sites",
             "Referrer-Policy of every document", "no finding of low severity or worse", _HEADERS, "Referrer-Policy: strict-origin-when-cross-origin"),
        _findings("referrer_policy"),
    ),
    Check(
        Item("site.cookies", Area.HEADERS, "Cookies of sessions cannot be stolen or sent along",
             "Set-Cookie of every distinct answer", "no finding of medium severity or worse", _HEADERS, "Set-Cookie: __Host-session=...; Path=/; Secure; HttpOnly; SameSite=Lax"),
        _findings("cookie", least=Severity.MEDIUM),
    ),
    Check(
        Item("site.caching", Area.HEADERS, "No shared cache keeps what is personal",
             "Cache-Control beside Set-Cookie and Vary", "no finding of medium severity or worse", _HEADERS, "Cache-Control: private, no-store"),
        _findings("cache", "cache_rule", least=Severity.MEDIUM),
    ),
    Check(
        Item("site.disclosure", Area.HEADERS, "Headers do not tell versions",
             "Server, X-Powered-By and the OWASP list of headers to remove", "no finding of low severity or worse", _HEADERS, "nginx: server_tokens off; PHP: expose_php = Off"),
        _findings("leak"),
    ),
    Check(
        Item("site.upload_limit", Area.UPLOAD_LIMITS, "The server refuses a body that is far too large",
             "a gigabyte announced to the start URLs with Expect: 100-continue, if the site asks for it; nothing is sent", "413, or any other final answer without the body",
             "raise the limit again", "nginx: client_max_body_size 10m; Apache: LimitRequestBody 10485760"),
        _probed("upload_limit", "upload.no_limit"),
    ),
    Check(
        Item("site.upload_types", Area.UPLOAD_LIMITS, "Uploads are checked, renamed, and served from elsewhere",
             "nothing: it takes an account and an upload", "a list of types, names of the server's own, another origin, no execution", "nothing to undo", "declare it, with the test that shows it"),
        _nobody_knows("cannot be seen without an account"),
    ),
    Check(
        Item("site.error_pages", Area.LOGGING, "Error pages tell nothing",
             "the headers of all error pages, and the page of a path that does not exist, if the site asks for it", "no trace, path, query or version",
             "switch debugging on again, on a machine that nobody else reaches", "Django: DEBUG = False; PHP: display_errors = Off; a page of your own"),
        _probed("error_page", "error_page.leaks", beside=_findings("leak", "secret", classes=_ERRORS)),
    ),
    Check(
        Item("site.reporting_endpoints", Area.LOGGING, "Somebody takes the reports of browsers",
             "the endpoints that headers name, and whether they answer, if the site asks for it", "at least one, and each answers", _HEADERS,
             'Reporting-Endpoints: csp="https://reports.example/csp", and report-to csp in the policy'),
        _endpoints,
    ),
    Check(
        Item("site.access_logs", Area.LOGGING, "Access logs are kept, and somebody can read them",
             "nothing: it cannot be seen from outside", "kept for as long as an incident takes to be noticed, without secrets in them", "nothing to undo", "declare it"),
        _nobody_knows("cannot be seen from outside"),
    ),
    Check(
        Item("site.alerts", Area.LOGGING, "Somebody is woken when it matters",
             "nothing: it cannot be seen from outside", "an alert on errors and on logins that fail, tried within the last year", "nothing to undo", "declare it, with the date of the last try"),
        _nobody_knows("cannot be seen from outside"),
    ),
)  # fmt: skip
ITEMS = {check.item.name: check.item for check in CHECKS}

PROBED_BY = {
    "site.cors": ProbeKind.CORS,
    "site.exposed_files": ProbeKind.EXPOSED_FILES,
    "site.upload_limit": ProbeKind.UPLOAD_LIMIT,
    "site.error_pages": ProbeKind.ERROR_PAGE,
    "site.reporting_endpoints": ProbeKind.REPORTING_ENDPOINTS,
}
"""The items that stay unknown unless the site asks for probes of a kind."""
