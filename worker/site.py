"""What the pages of one run have in common in this process: scope, links, masks, and what was found already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from headersweep import addresses, bodyread, guard, headers, links, scope
from headersweep.states import Outcome
from review import tokens
from worker.page import Facts, Snapshot

if TYPE_CHECKING:
    from headersweep.definition import SiteDefinition
    from headersweep.markup import Walk
    from headersweep.robots import RobotsRules
    from headersweep.urls import PageUrl
    from scheduler.seeding import ShardKey

KNOWN_LIMIT = 500_000
"""URL keys remembered per run: forgetting them costs a statement, never a page."""

SEEN_LIMIT = 2_000
"""Distinct canonical texts that the guard looks at; beyond that the decision is left to the end of the run."""

FACTS_LIMIT = 1_000
"""Distinct facts about bodies that one process keeps of a run: templates have few, and nobody reads a thousand."""

MAX_DEPTH_ERROR = "max_depth"


@dataclass(frozen=True, slots=True)
class Robots:
    """What was decided about an origin's robots.txt in this run: rules, or what becomes of all its pages."""

    holds_until: float
    rules: RobotsRules | None = None
    denied: tuple[Outcome, str] | None = None


class RunSite:
    """The shared side of a run's shards in one worker process."""

    def __init__(  # noqa: PLR0913, PLR0917 - each is a column of the run
        self,
        run_id: int,
        generation: int,
        site_id: int,
        name: str,
        slot: datetime,
        definition: SiteDefinition,
        masked: frozenset[str],
    ) -> None:
        self.run_id = run_id
        self.generation = generation
        self.site_id = site_id
        self.name = name
        self.definition = definition
        self.policy = addresses.AddressPolicy(definition.allow_addresses)
        self.links = links.LinkReader()
        self.shard_ids: dict[ShardKey, int] = {}
        self.robots: dict[int, Robots] = {}
        self._facts_reader = bodyread.FactsReader()
        self._facts: dict[bytes, Facts] = {}
        self._scope = scope.SiteScope(definition, today=slot.date())
        self._known: set[bytes] = set()
        self._masked = masked
        self._seen: Counter[str] = Counter()
        self._next_check = guard.DISTINCT_LIMIT + 1
        self.new_masks: dict[str, tuple[int, int]] = {}

    @property
    def remembered(self) -> int:
        """How many found pages this process remembers."""
        return len(self._known)

    def forget(self) -> None:
        """Forget what was found: some of it was not committed, and must be found again."""
        self._known.clear()

    def is_new(self, page: PageUrl) -> bool:
        """Whether this process has not yet seen a page in this run; it counts as seen from now on."""
        if page.key in self._known:
            return False
        if len(self._known) >= KNOWN_LIMIT:
            self._known.clear()
        self._known.add(page.key)
        return True

    def verdict(self, page: PageUrl, depth: int) -> tuple[Outcome, str | None] | None:
        """What is decided about a found page at once; None when it is to be fetched."""
        decided = self._scope.verdict(page)
        if decided is None and depth > self.definition.max_depth:
            return Outcome.SKIPPED_LIMIT, MAX_DEPTH_ERROR
        return decided

    def snapshot(self, raw: bytes) -> tuple[Snapshot, headers.ParsedHeaders]:
        """The snapshot that a header block amounts to, with the masks of the site."""
        parsed = headers.parse_block(raw)
        canonical = headers.canonical_text(parsed.pairs, parsed.malformed, self._masked)
        return Snapshot(headers.content_hash(canonical), canonical, headers.mask_cookies(raw)), parsed

    def facts(self, walked: Walk, body: bytes, url: str) -> Facts | None:
        """What the review should know of a body; None once a site has shown more kinds of bodies than anybody reads."""
        _, content_hash, canonical = self._facts_reader.of(walked, body, url, tokens.kinds(body))
        known = self._facts.get(content_hash)
        if known is None and len(self._facts) < FACTS_LIMIT:
            known = self._facts[content_hash] = Facts(content_hash, canonical)
        return known

    def count(self, canonicals: Iterable[str]) -> None:
        """Count committed responses, and notice a header that differs on nearly every one of them.

        Only what is committed counts: a page fetched again after a crash must not count twice, else what is masked
        would depend on interruptions.
        """
        self._seen.update(canonicals)
        if len(self._seen) >= self._next_check:
            self._mask_more()

    def _mask_more(self) -> None:
        counter = guard.ValueCounter()
        for canonical, responses in self._seen.items():
            counter.seen(headers.value_lines(canonical), times=responses)
        masks = counter.masks()
        self._next_check = len(self._seen) + max(10, len(self._seen) // 4)
        self._masked |= masks.keys()
        self.new_masks.update(masks)
        if masks or len(self._seen) > SEEN_LIMIT:
            self._seen.clear()
            self._next_check = guard.DISTINCT_LIMIT + 1
