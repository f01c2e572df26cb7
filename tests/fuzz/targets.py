"""Every parser that reads what strangers send or people write, each with what must hold for any bytes."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz import blocks, documents, reviews
from tests.fuzz.bounds import Target

FOLDER = Path(__file__).parent
CORPUS = FOLDER / "corpus"
TOKENS = FOLDER / "tokens.dict"

TARGETS: dict[str, Target] = {
    "block": blocks.block,
    "secrets": blocks.secrets,
    "response": blocks.response,
    "values": blocks.values,
    "answers": blocks.answers,
    "judged": reviews.judged,
    "secret": reviews.secret,
    "graded": reviews.graded,
    "policy": reviews.policy,
    "policies": reviews.policies,
    "drifted": reviews.drifted,
    "cookie": reviews.cookie,
    "structured": reviews.structured,
    "directives": reviews.directives,
    "moved": reviews.moved,
    "robots": documents.robots_file,
    "sitemap": documents.sitemap,
    "page": documents.page,
    "address": documents.address,
    "site_file": documents.site_file,
}


def seeds(name: str) -> list[Path]:
    """The inputs that are kept for a target: where fuzzing starts, and what once failed."""
    return sorted(path for path in (CORPUS / name).iterdir() if path.is_file())
