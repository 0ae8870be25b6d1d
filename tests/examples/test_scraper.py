"""The scraper of the examples, against a site that does not always answer."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

from docs.examples import scraper
from tests.conftest import ROOT
from tests.examples.pages import extraction, serving
from workflow_store import WorkflowStore
from workflow_store.database import Session


async def test_what_answers_late_is_stored_and_what_fails_for_good_waits_in_the_queue(
    store: WorkflowStore, session: Session
) -> None:
    pages = {
        "/workflows/1": [(200, extraction("At once"))],
        "/workflows/2": [(500, b""), (500, b""), (200, extraction("At last"))],
        "/workflows/4": [(200, b'["no", "mapping"]')],
        "/workflows/5": [(503, b"")],
    }
    started = datetime.now(UTC)

    with serving(pages) as site:
        outcomes = await scraper.run(store, [f"{site.url}/workflows/{n}" for n in range(1, 6)], pause=0.01)

    assert outcomes == {"inserted": 2, "failed": 3}
    assert {number: site.asked.count(f"/workflows/{number}") for number in range(1, 6)} == {
        1: 1,
        2: 3,
        3: 1,
        4: 1,
        5: 4,
    }
    stored = (await store.list_workflows(order_by="title", order_desc=False)).items
    assert [(found.workflow_id, found.metadata and found.metadata.title) for found in stored] == [
        ("2", "At last"),
        ("1", "At once"),
    ]
    assert await store.pending() == ()
    rows = await session.connection.fetch(
        "SELECT workflow_id, due_at, retry_count, last_error, lease_token FROM workflow_store.workflow_scrape"
    )
    queue = {row["workflow_id"]: row for row in rows}
    assert {number: (row["retry_count"], row["lease_token"]) for number, row in queue.items()} == {
        "1": (0, None),
        "2": (0, None),
        "3": (1, None),
        "4": (1, None),
        "5": (1, None),
    }
    assert queue["3"]["last_error"] == "HTTP 404"
    assert queue["4"]["last_error"].startswith("not a workflow: ")
    assert queue["5"]["last_error"] == "HTTP 503, 4 times"
    assert queue["1"]["due_at"] >= started + timedelta(days=6)
    assert queue["3"]["due_at"] >= started + timedelta(hours=23)


def test_the_command_scrapes_the_urls_it_is_given(database_dsn: str) -> None:
    with serving({"/workflows/1": [(200, extraction("At once"))]}) as site:
        done = subprocess.run(
            [sys.executable, "docs/examples/scraper.py", f"{site.url}/workflows/1", f"{site.url}/workflows/3"],
            cwd=ROOT,
            env=os.environ | {"WORKFLOW_STORE_DSN": database_dsn},
            capture_output=True,
            text=True,
        )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "failed: 1, inserted: 1\n"
