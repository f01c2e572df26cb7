from __future__ import annotations

import pytest

from benchmarks import sites
from headersweep import links


@pytest.mark.parametrize("pages", [1, 2, 25, 3_000])
def test_every_page_of_the_generated_site_is_reachable_from_the_first(pages: int) -> None:
    seen, waiting = {0}, [0]
    while waiting:
        new = set(sites.linked(waiting.pop(), pages)) - seen
        seen |= new
        waiting += new
    assert seen == set(range(pages))


def test_a_generated_page_has_about_6_kilobytes_and_20_links_to_other_pages() -> None:
    text = sites.page_text(7, 3_000)
    assert 5_500 <= len(text) <= 7_000
    assert len(links.extract(text.encode(), "http://h" + sites.page_path(7), None)) in {19, 20}


def test_links_of_generated_pages_lead_to_the_files_that_are_written() -> None:
    found = links.extract(sites.page_text(0, 50).encode(), "http://h/", None)
    known = {"http://h" + sites.page_path(number) for number in range(1, 50)}
    assert set(found) <= known
    assert found
