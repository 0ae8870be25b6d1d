"""Scrapes workflows with 16 tasks until nothing in the queue is due: ``python docs/examples/scraper.py URL…``.

Each URL answers with an extraction result in JSON, and ends in the workflow's id. Any number of these may run at once.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx

from workflow_store import Claim, InvalidRecord, LeaseLost, Workflow, WorkflowStore
from workflow_store.ingest import Writer

TASKS = 16
TRIES = 4
# Longer than all tries of a page with their pauses, or another scraper would begin anew.
LEASE = timedelta(minutes=10)
AGAIN = timedelta(days=7)
HOPELESS = timedelta(days=1)
LONGEST_PAUSE = 60.0


class PageFailedError(Exception):
    """A page that can't be had; ``retry_after`` of None leaves the pause to the queue."""

    def __init__(self, reason: str, retry_after: timedelta | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(reason)


async def fetch(client: httpx.AsyncClient, url: str, pause: float) -> httpx.Response:
    """The answer with status 200; 429, 5xx and lost connections are tried again after ``pause`` × 2ⁿ seconds.

    Raises:
        PageFailedError: another status, or every try failed.
    """
    reason = ""
    for attempt in range(TRIES):
        wanted = pause * 2**attempt * random.uniform(0.5, 1.5)
        try:
            answer = await client.get(url)
        except httpx.RequestError as error:
            reason = f"{type(error).__name__}: {error}"
        except httpx.InvalidURL as error:
            raise PageFailedError(str(error), HOPELESS) from error
        else:
            if answer.status_code == 200:
                return answer
            reason = f"HTTP {answer.status_code}"
            if answer.status_code != 429 and answer.status_code < 500:
                raise PageFailedError(reason, HOPELESS)
            named = answer.headers.get("Retry-After", "")
            wanted = float(named) if named.isdecimal() else wanted
        if attempt + 1 < TRIES:
            await asyncio.sleep(min(wanted, LONGEST_PAUSE))
    raise PageFailedError(f"{reason}, {TRIES} times")


async def scrape(client: httpx.AsyncClient, claim: Claim, pause: float) -> Workflow:
    """The workflow of a claim.

    Raises:
        PageFailedError: the page can't be had, or is no extraction result.
    """
    if claim.url is None:
        raise PageFailedError("no URL is known", HOPELESS)
    answer = await fetch(client, claim.url, pause)
    try:
        return Workflow.from_extraction_result(claim.workflow_id, claim.url, json.loads(answer.content))
    except (InvalidRecord, ValueError) as error:
        raise PageFailedError(f"not a workflow: {error}", HOPELESS) from error


async def work_off(store: WorkflowStore, writer: Writer, client: httpx.AsyncClient, claim: Claim, pause: float) -> str:
    """One claim from its page to the end of its lease; what became of it."""
    try:
        try:
            workflow = await scrape(client, claim, pause)
            return await writer.put(workflow, token=claim.token, next_due_at=datetime.now(UTC) + AGAIN)
        except PageFailedError as error:
            again = error.retry_after
            await store.mark_failed(claim.workflow_id, str(error), token=claim.token, retry_after=again)
        except InvalidRecord as error:
            await store.mark_failed(claim.workflow_id, str(error), token=claim.token, retry_after=HOPELESS)
    except LeaseLost:
        return "lost"
    return "failed"


async def run(store: WorkflowStore, urls: Iterable[str], *, pause: float = 1.0) -> Counter[str]:
    """Queue the URLs and work the queue off; how many claims ended in each way.

    Args:
        pause: seconds before the second try of a page.
    """
    await store.enqueue([(urlsplit(url).path.rstrip("/").rpartition("/")[2], url) for url in urls])
    outcomes: Counter[str] = Counter()
    async with httpx.AsyncClient(timeout=20, follow_redirects=True) as client, store.writer() as writer:
        while claims := await store.claim(limit=TASKS, lease=LEASE):
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(work_off(store, writer, client, claim, pause)) for claim in claims]
            outcomes.update(task.result() for task in tasks)
    return outcomes


async def main(urls: list[str]) -> None:
    async with WorkflowStore.open() as store:
        outcomes = await run(store, urls)
    print(", ".join(f"{outcome}: {count}" for outcome, count in sorted(outcomes.items())) or "nothing was due")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
