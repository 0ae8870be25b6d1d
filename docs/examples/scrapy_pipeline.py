"""A Scrapy item pipeline that stores what spiders yield.

An item has ``workflow_id``, ``url`` and ``result``, an extraction result. In the project's settings::

    TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
    ITEM_PIPELINES = {"docs.examples.scrapy_pipeline.WorkflowPipeline": 300}
    WORKFLOW_STORE_DSN = "postgresql://…"  # without it, that of the environment
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any, Self

from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from workflow_store import InvalidRecord, Workflow, WorkflowStore
from workflow_store.ingest import Writer


class WorkflowPipeline:
    """Holds a store and its writer from the opening of the spider to its closing."""

    def __init__(self, crawler: Crawler, dsn: str | None) -> None:
        self._crawler = crawler
        self._overrides: dict[str, Any] = {} if dsn is None else {"dsn": dsn}
        self._opened = AsyncExitStack()
        self._writer: Writer | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler, crawler.settings.get("WORKFLOW_STORE_DSN"))

    async def open_spider(self, spider: Any = None) -> None:
        store = await self._opened.enter_async_context(WorkflowStore.open(**self._overrides))
        self._writer = await self._opened.enter_async_context(store.writer())

    async def close_spider(self, spider: Any = None) -> None:
        await self._opened.aclose()

    async def process_item(self, item: Any, spider: Any = None) -> Any:
        """Scrapy has up to ``CONCURRENT_ITEMS`` of these under way, which share the writer's commits.

        Raises:
            DropItem: it can't be stored; the crawl goes on.
        """
        assert self._writer is not None
        try:
            workflow = Workflow.from_extraction_result(item["workflow_id"], item["url"], item["result"])
            outcome = await self._writer.put(workflow)
        except InvalidRecord as error:
            raise DropItem(f"{item['workflow_id']}: {error}") from error
        if self._crawler.stats is not None:
            self._crawler.stats.inc_value(f"workflow_store/{outcome}")
        return item
