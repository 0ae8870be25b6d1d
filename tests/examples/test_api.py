"""The web application of the examples, asked without a network."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest

from docs.examples import api
from tests.records import full_workflow, small_workflow
from workflow_store import Metadata, Workflow, WorkflowStore


@asynccontextmanager
async def client(dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of the application while its lifespan runs."""
    monkeypatch.setenv("WORKFLOW_STORE_DSN", dsn)
    transport = httpx.ASGITransport(app=api.app)
    async with (
        api.app.router.lifespan_context(api.app),
        httpx.AsyncClient(transport=transport, base_url="http://workflows") as asking,
    ):
        yield asking


async def test_pages_follow_each_other_and_keep_their_filters(
    store: WorkflowStore, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.ingest(
        small_workflow(str(n), metadata=Metadata(title=f"Title {n}", views=n, categories=("AI",))) for n in range(5)
    )
    asked = {"category": "AI", "min_views": "2", "order_by": "views", "limit": "2"}

    async with client(database_dsn, monkeypatch) as asking:
        first = (await asking.get("/workflows", params=asked)).json()
        second = (await asking.get("/workflows", params=asked | {"after": first["next"]})).json()

    assert [item["workflow_id"] for item in first["items"]] == ["4", "3"]
    assert first["items"][0]["metadata"] == {"title": "Title 4", "author_name": None, "views": 4}
    assert [item["workflow_id"] for item in second["items"]] == ["2"]
    assert second["next"] is None


async def test_a_workflow_comes_back_whole_and_an_unknown_one_is_404(
    store: WorkflowStore, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.upsert_workflow(full_workflow("2462"))

    async with client(database_dsn, monkeypatch) as asking:
        found = await asking.get("/workflows/2462")
        missing = await asking.get("/workflows/9")

    assert found.headers["content-type"] == "application/json"
    assert Workflow.from_json(found.content) == await store.get_workflow("2462")
    assert (missing.status_code, missing.json()) == (404, {"detail": "workflow '9' is not stored"})


async def test_an_id_may_be_a_path(store: WorkflowStore, database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.upsert_workflow(small_workflow("exports/a b.json"))

    async with client(database_dsn, monkeypatch) as asking:
        found = await asking.get("/workflows/exports/a%20b.json")

    assert (found.status_code, found.json().get("workflow_id")) == (200, "exports/a b.json")


async def test_a_search_finds_titles(store: WorkflowStore, database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.ingest(
        [
            small_workflow("1", metadata=Metadata(title="Telegram agent")),
            small_workflow("2", metadata=Metadata(title="Invoices")),
        ]
    )

    async with client(database_dsn, monkeypatch) as asking:
        found = (await asking.get("/search", params={"q": "telegram agents"})).json()

    assert [item["metadata"]["title"] for item in found["items"]] == ["Telegram agent"]
    assert (found["total"], found["next"]) == (1, None)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/workflows?order_by=colour", "colour"),
        ("/workflows?limit=0", "limit"),
        ("/workflows?after=nonsense", "cursor"),
        ("/search?q=", "query"),
    ],
)
async def test_what_the_store_refuses_is_422_with_its_message(
    path: str, said: str, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client(database_dsn, monkeypatch) as asking:
        answer = await asking.get(path)

    assert answer.status_code == 422
    assert said in answer.json()["detail"]
