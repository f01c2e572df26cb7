"""The sites that are swept: documentation trees that may be installed here, or a tree of our own making."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

INSTALLED = {
    "python": Path("/usr/share/doc/python3.11-doc/html"),
    "rust": Path("/usr/share/doc/rust-doc/html"),
}
SYNTHETIC = "synthetic"
SYNTHETIC_PAGES = 2_000
LINKS_PER_PAGE = 20
PAGES_PER_FOLDER = 200
PAGE_BYTES = 6_000

_STRIDES = (7, 31, 127, 521, 2_053, 8_209, 32_771, 131_101)
_SENTENCE = "Every page of this site says the same few words, so that two runs measure the same thing. "


@dataclass(frozen=True)
class Site:
    """A tree of files to be served, and what it is called in reports."""

    name: str
    root: Path
    start: str = "/"


def available(name: str) -> bool:
    """Whether a site of this name can be swept here."""
    return name == SYNTHETIC or (INSTALLED[name] / "index.html").is_file()


def default_name() -> str:
    """The smaller documentation tree if it is installed, else the synthetic one."""
    return "python" if available("python") else SYNTHETIC


@contextlib.contextmanager
def opened(name: str, pages: int | None = None) -> Iterator[Site]:
    """The site, for as long as it is needed; a synthetic one has ``pages`` pages and is removed at the end."""
    if name in INSTALLED:
        yield Site(name, INSTALLED[name])
        return
    with tempfile.TemporaryDirectory(prefix="headersweep-bench-site-") as folder:
        root = Path(folder)
        root.chmod(0o755)  # the web server's workers may run as somebody else
        count = pages or SYNTHETIC_PAGES
        generate(root, count)
        yield Site(f"{SYNTHETIC} ({count} pages)", root)


def generate(root: Path, pages: int) -> None:
    """Write a site of so many pages: always the same bytes, every page reachable from the first."""
    for number in range(pages):
        path = root / page_path(number).lstrip("/")
        path.parent.mkdir(exist_ok=True)
        path.write_text(page_text(number, pages), encoding="utf-8")


def page_path(number: int) -> str:
    """Where a page lies; the first one is the site's index."""
    if number == 0:
        return "/index.html"
    return f"/part-{number // PAGES_PER_FOLDER:04}/page-{number:06}.html"


def linked(number: int, pages: int) -> list[int]:
    """The pages that a page links to: its two children in a tree, which reaches all, then near and far ones."""
    first = [2 * number + 1, 2 * number + 2]
    others = [
        (number * factor + stride) % pages
        for factor in (1, 3, 5, 11, 17, 23)
        for stride in _STRIDES
        if stride < pages
    ]
    reachable = [target for target in first if target < pages]
    return list(dict.fromkeys(reachable + others))[:LINKS_PER_PAGE]


def page_text(number: int, pages: int) -> str:
    """The HTML of a page: about 6 KB with 20 links."""
    items = "\n".join(
        f'<li><a href="{_href(target)}">Page {target}</a></li>' for target in linked(number, pages)
    )
    head = f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>Page {number}</title></head>\n'
    body = f"<body>\n<h1>Page {number}</h1>\n<nav><ul>\n{items}\n</ul></nav>\n"
    missing = max(0, PAGE_BYTES - len(head) - len(body))
    paragraphs = f"<p>{_SENTENCE * 5}</p>\n" * (missing // (5 * len(_SENTENCE)) + 1)
    return f"{head}{body}{paragraphs}</body>\n</html>\n"


def _href(number: int) -> str:
    return "/" if number == 0 else page_path(number)
