"""The states, outcomes and reasons that the database keeps: one place, used by every CHECK and every report."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class RunState(StrEnum):
    """Where a run stands. planned -> running -> one of the final states."""

    PLANNED = "planned"
    RUNNING = "running"
    FINISHED = "finished"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL_STATES = frozenset({RunState.FINISHED, RunState.PARTIAL, RunState.FAILED, RunState.CANCELLED})


class RunAction(StrEnum):
    """What an operator, or an overtaking slot, does to a run that exists."""

    CANCEL = "cancel"
    RESUME = "resume"
    RERUN_FAILED = "rerun_failed"
    RERUN = "rerun"


class Outcome(IntEnum):
    """What became of one page in one run. The number is what the database keeps; it never changes."""

    STORED = 1
    ROBOTS_DENIED = 2
    ROBOTS_UNREACHABLE = 3
    OUT_OF_SCOPE = 4
    TRAPPED = 5
    FAILED = 6
    SKIPPED_LIMIT = 7

    @property
    def label(self) -> str:
        """The name used in digests, exports, accounting and logs."""
        return self.name.lower()


class FailureReason(StrEnum):
    """Why a page could not be fetched (outcome ``failed``)."""

    DNS = "dns"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CONNECT_TIMEOUT = "connect_timeout"
    TIMEOUT = "timeout"
    RESET = "reset"
    TLS = "tls"
    PROTOCOL = "protocol"
    HEADERS_TOO_LARGE = "headers_too_large"
    ADDRESS_DENIED = "address_denied"
    ORIGIN_DOWN = "origin_down"
    QUARANTINED = "quarantined"


RETRYABLE_REASONS = frozenset(
    {
        FailureReason.DNS,
        FailureReason.REFUSED,
        FailureReason.UNREACHABLE,
        FailureReason.CONNECT_TIMEOUT,
        FailureReason.TIMEOUT,
        FailureReason.RESET,
        FailureReason.PROTOCOL,
    }
)


class TrapReason(StrEnum):
    """Why a URL was not followed although it is in scope (outcome ``trapped``)."""

    URL_TOO_LONG = "url_too_long"
    TOO_MANY_SEGMENTS = "too_many_segments"
    REPEATED_SEGMENTS = "repeated_segments"
    FAR_DATE = "far_date"
    TEMPLATE_LIMIT = "template_limit"


class ShardState(StrEnum):
    """Whether a shard has work left."""

    OPEN = "open"
    DONE = "done"
