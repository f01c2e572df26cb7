"""What headersweep is compared with: a Scrapy spider that follows all links and writes every response's headers.

Run by Scrapy's own Python: python -P benchmarks/scrapy_spider.py URL OUTPUT [MAX_PAGES]. Prints its statistics as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Scrapy is only in the benchmark's own environment, so here nothing is known of its types.
import scrapy  # type: ignore[import-not-found]
from scrapy.crawler import CrawlerProcess  # type: ignore[import-not-found]
from scrapy.http import HtmlResponse  # type: ignore[import-not-found]
from scrapy.linkextractors import LinkExtractor  # type: ignore[import-not-found]
from scrapy.utils.response import get_meta_refresh  # type: ignore[import-not-found]

CONCURRENCY = 32
FIRST_REDIRECT, LAST_REDIRECT = 300, 399


class LinkSpider(scrapy.Spider):  # type: ignore[misc] # no types, see above
    """Follows every link within the start URL's host and port; one item for every response, whatever its status."""

    name = "links"

    def __init__(self, url: str) -> None:
        super().__init__()
        self.start_urls = [url]
        self._site = url
        # The same elements as headersweep looks at, and no file name extension left out.
        self._links = LinkExtractor(
            allow="^" + url.replace(".", r"\."),
            tags=("a", "area", "iframe", "frame"),
            attrs=("href", "src"),
            deny_extensions=[],
        )

    def parse(self, response: Any) -> Iterator[Any]:
        """Write down one response and go on to what it links to."""
        pairs = [
            [name.decode("latin-1"), value.decode("latin-1")]
            for name, values in response.headers.items()
            for value in values
        ]
        yield {"url": response.url, "status": response.status, "headers": pairs}
        if FIRST_REDIRECT <= response.status <= LAST_REDIRECT and "Location" in response.headers:
            target = response.urljoin(response.headers["Location"].decode("latin-1"))
            if target.startswith(self._site):
                yield scrapy.Request(target)
        elif isinstance(response, HtmlResponse):
            for link in self._links.extract_links(response):
                yield scrapy.Request(link.url)
            _, target = get_meta_refresh(response)
            if target is not None and target.startswith(self._site):
                yield scrapy.Request(target)


def settings(output: Path, max_pages: int) -> dict[str, Any]:
    """As fast as Scrapy goes without giving up robots.txt."""
    return {
        "LOG_LEVEL": "ERROR",
        "TELNETCONSOLE_ENABLED": False,
        "ROBOTSTXT_OBEY": True,
        "CONCURRENT_REQUESTS": CONCURRENCY,
        "CONCURRENT_REQUESTS_PER_DOMAIN": CONCURRENCY,
        "DOWNLOAD_DELAY": 0,
        "AUTOTHROTTLE_ENABLED": False,
        "COOKIES_ENABLED": False,
        # One URL is one response, as in headersweep: redirects and errors are results too.
        "REDIRECT_ENABLED": False,
        "METAREFRESH_ENABLED": False,
        "RETRY_ENABLED": False,
        "HTTPERROR_ALLOW_ALL": True,
        "CLOSESPIDER_PAGECOUNT": max_pages,
        "FEEDS": {str(output): {"format": "jsonlines", "overwrite": True}},
    }


def main(url: str, output: str, max_pages: str = "0") -> None:
    """Crawl one site and print the statistics."""
    process = CrawlerProcess(settings(Path(output), int(max_pages)))
    crawler = process.create_crawler(LinkSpider)
    process.crawl(crawler, url=url)
    process.start()
    found = crawler.stats.get_stats()
    names = ("item_scraped_count", "elapsed_time_seconds", "response_received_count", "finish_reason")
    print(json.dumps({name: found.get(name) for name in names}))


if __name__ == "__main__":
    main(*sys.argv[1:])
