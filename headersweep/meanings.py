"""What each state, outcome, reason and exit code means, in one sentence: what docs/states.md and ``explain`` say."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from headersweep.errors import ExitCode
from headersweep.probes import GivenUp, ProbeState
from headersweep.responses import ResponseClass
from headersweep.states import FailureReason, Outcome, RunAction, RunState, ShardState, TrapReason

MEANINGS: Mapping[type[Enum], Mapping[Enum, str]] = {
    RunState: {
        RunState.PLANNED: "inserted for its slot, nothing fetched yet",
        RunState.RUNNING: "a worker has claimed a shard of it at least once",
        RunState.FINISHED: "every page that was found has an outcome; failures stay under the site's threshold",
        RunState.PARTIAL: "every page has an outcome, but a limit cut the run short or too many pages failed",
        RunState.FAILED: "no start URL could be fetched",
        RunState.CANCELLED: "an operator ended it; what was stored stays",
    },
    RunAction: {
        RunAction.CANCEL: "ended it where it stood",
        RunAction.RESUME: "let it go on, or opened it again after a cancel (generation + 1)",
        RunAction.RERUN_FAILED: "put its failed pages back and opened it again (generation + 1)",
        RunAction.RERUN: "swept its site anew, as a run of its own",
    },
    ShardState: {
        ShardState.OPEN: "there may be pages left; a worker may hold a lease on it",
        ShardState.DONE: "all its pages have an outcome; new links of the same run may open it again",
    },
    Outcome: {
        Outcome.STORED: "the server answered; the headers are kept. Any status is an answer, 404 and 500 too",
        Outcome.ROBOTS_DENIED: "robots.txt disallows it for us",
        Outcome.ROBOTS_UNREACHABLE: "robots.txt answered 429 or 5xx or not at all, so nobody knows; treated as disallowed",
        Outcome.OUT_OF_SCOPE: "not a page of this site; decided when the link was found, never fetched",
        Outcome.TRAPPED: "looks like an endless space of URLs; decided when found, never fetched",
        Outcome.FAILED: "no answer after all attempts; the reason stands beside it",
        Outcome.SKIPPED_LIMIT: "beyond the run's page or depth limit; decided when found, never fetched",
    },
    FailureReason: {
        FailureReason.DNS: "the host name has no address",
        FailureReason.REFUSED: "the connection was refused",
        FailureReason.UNREACHABLE: "no route to the address",
        FailureReason.CONNECT_TIMEOUT: "no connection within 10 s",
        FailureReason.TIMEOUT: "no complete answer in time: 15 s for the headers, 60 s in all",
        FailureReason.RESET: "the connection broke off",
        FailureReason.TLS: "the certificate or the handshake is not valid",
        FailureReason.PROTOCOL: "the answer is not HTTP, even read leniently",
        FailureReason.HEADERS_TOO_LARGE: "more than 128 KiB of headers",
        FailureReason.ADDRESS_DENIED: "the host name leads to an address that the site does not allow",
        FailureReason.ORIGIN_DOWN: "the origin did not answer for so long that its remaining pages were given up",
        FailureReason.QUARANTINED: "fetching this page cost workers their lives three times",
    },
    TrapReason: {
        TrapReason.URL_TOO_LONG: "more than 2,048 characters",
        TrapReason.TOO_MANY_SEGMENTS: "more than 20 path segments",
        TrapReason.REPEATED_SEGMENTS: "one segment more than twice",
        TrapReason.FAR_DATE: "a date-like path more than a year away",
        TrapReason.TEMPLATE_LIMIT: "too many URLs that differ in one place only",
    },
    ResponseClass: {
        ResponseClass.DOCUMENT: "what a browser shows",
        ResponseClass.REDIRECT: "301, 302, 303, 307, 308",
        ResponseClass.API: "JSON, XML and the like",
        ResponseClass.SCRIPT: "scripts and style sheets",
        ResponseClass.STATIC: "images, fonts, media, archives",
        ResponseClass.ERROR: "status 400 and more; each finding matters one level less",
        ResponseClass.BLOCKED: "a firewall or a challenge answered in the site's place: not judged",
    },
    ProbeState: {
        ProbeState.WAITING: "nobody has answered yet; a worker makes it as soon as its origin's turn has come",
        ProbeState.ANSWERED: "the server answered, with whatever status",
        ProbeState.FAILED: "no answer after all attempts, or nobody may ask; the reason stands beside it",
    },
    GivenUp: {
        GivenUp.ROBOTS_DENIED: "robots.txt disallows it for us",
        GivenUp.ROBOTS_UNREACHABLE: "robots.txt could not be fetched, so nobody knows",
        GivenUp.LOST: "three workers were lost over it",
        GivenUp.EXPIRED: "nobody could make it within a day, or its run's window is over",
        GivenUp.SWITCHED_OFF: "the site's file does not ask for it any more",
    },
    ExitCode: {
        ExitCode.DONE: "done, and nothing at or above --fail-on",
        ExitCode.UNEXPECTED: "an unexpected error: a bug of ours",
        ExitCode.USAGE: "the command line makes no sense",
        ExitCode.FINDINGS: "done, with findings or changes at or above --fail-on",
        ExitCode.PARTIAL: "partial: more pages than the threshold (5 %) could not be fetched",
        ExitCode.BUSY: "the same run is being worked on elsewhere, and --no-wait was given",
        ExitCode.CONFIGURATION: "the configuration or the deployment is wrong",
        ExitCode.UNAVAILABLE: "Postgres or Redis is out of reach",
        ExitCode.INTERRUPTED: "interrupted; headersweep resume goes on",
    },
}
"""By kind, since words of two kinds may be spelt alike."""
