"""The Scrapy pipeline of the examples, in a crawl of its own process."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.conftest import ROOT
from tests.examples.pages import extraction, serving
from workflow_store import WorkflowStore

CRAWL = """
import sys
import scrapy
from scrapy.crawler import CrawlerProcess

class Workflows(scrapy.Spider):
    name = "workflows"
    start_urls = sys.argv[1:]

    def parse(self, response):
        workflow_id = response.url.rpartition("/")[2]
        yield {"workflow_id": workflow_id, "url": response.url, "result": response.json()}

process = CrawlerProcess({
    "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
    "ITEM_PIPELINES": {"docs.examples.scrapy_pipeline.WorkflowPipeline": 300},
    "TELNETCONSOLE_ENABLED": False,
})
crawler = process.create_crawler(Workflows)
process.crawl(crawler)
process.start()
for name in ("workflow_store/inserted", "item_scraped_count", "item_dropped_count"):
    print(name, crawler.stats.get_value(name))
"""


async def test_a_crawl_stores_its_items_and_drops_what_is_no_workflow(store: WorkflowStore, database_dsn: str) -> None:
    pages = {f"/{number}": [(200, extraction(f"Title {number}"))] for number in range(1, 6)}
    pages["/bad"] = [(200, b'["no", "mapping"]')]

    with serving(pages) as site:
        done = subprocess.run(
            [sys.executable, "-c", CRAWL, *(site.url + path for path in pages)],
            cwd=ROOT,
            env=os.environ | {"WORKFLOW_STORE_DSN": database_dsn},
            capture_output=True,
            text=True,
        )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["workflow_store/inserted 5", "item_scraped_count 5", "item_dropped_count 1"]
    assert "bad: " in done.stderr
    stored = (await store.list_workflows(order_by="title", order_desc=False)).items
    assert [found.metadata and found.metadata.title for found in stored] == [f"Title {n}" for n in range(1, 6)]
    assert {found.url for found in stored} == {f"{site.url}/{n}" for n in range(1, 6)}
