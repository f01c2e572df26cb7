"""What the parts of the HTML report are made of: foreign text, code, links and bars, none of which can become markup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from review.reports import texts


def text(foreign: str) -> str:
    """Text that says what it said, whatever is in it."""
    return escape(texts.visible(foreign))


def prose(rules_text: str) -> str:
    """A rule's text; what stands between backticks is code."""
    pieces = texts.prose(rules_text)
    return "".join(f"<code>{escape(piece)}</code>" if is_code else escape(piece) for is_code, piece in pieces)


def block(lines: Iterable[str]) -> str:
    """Lines as a block of code."""
    # A line break that follows <pre> at once is dropped; this one is not content.
    return "<pre>\n" + "\n".join(escape(line) for line in lines) + "</pre>"


def link(url: str, shown: str) -> str:
    """A link that tells the other side nothing of the report."""
    return f'<a href="{text(url)}" rel="noreferrer noopener">{text(shown)}</a>'


def urls(found: Sequence[str]) -> Iterator[str]:
    """Pages as a list; nothing where there are none."""
    if found:
        yield '<ul class="pages">'
        yield from (f"<li>{page(url)}</li>" for url in found)
        yield "</ul>"


def page(url: str, length: int | None = None) -> str:
    """A page's URL as a link, if it is one that a browser opens without running anything; shown up to a length."""
    shown = url if length is None or len(url) <= length else f"{url[:length]}..."
    is_web = url.startswith(("https://", "http://")) and url.isprintable()
    return link(url, shown) if is_web else text(shown)


def bar(part: int, whole: int, label: str = "") -> str:
    """How much of the whole a part is, drawn without a style of its own: the policy forbids those."""
    width = max(1, round(1000 * part / whole)) if part and whole else 0
    return (
        f'<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" '
        f'aria-label="{text(label) if label else f"{texts.share(part, whole)} of the pages"}">'
        f'<rect class="all" width="1000" height="10"/><rect class="part" width="{width}" height="10"/></svg>'
    )


def table(name: str, heads: Sequence[tuple[str, str]], rows: Iterable[str]) -> Iterator[str]:
    """A table that scrolls by itself, also by keyboard, where it is wider than the window; heads with their class."""
    yield f'<div class="wide" role="region" aria-label="{escape(name)}" tabindex="0"><table>'
    cells = "".join(
        f'<th scope="col" class="{kind}">{head}</th>' if kind else f'<th scope="col">{head}</th>'
        for head, kind in heads
    )
    yield f"<thead><tr>{cells}</tr></thead><tbody>"
    yield from rows
    yield "</tbody></table></div>"
