"""A FastAPI application that reads the store: ``uvicorn docs.examples.api:app``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse

from workflow_store import InvalidCursor, InvalidField, Workflow, WorkflowStore


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    async with WorkflowStore.open() as store:
        app.state.store = store
        yield


app = FastAPI(title="Workflows", lifespan=lifespan)


def opened(request: Request) -> WorkflowStore:
    store: WorkflowStore = request.app.state.store
    return store


def filters(
    node_type: Annotated[list[str] | None, Query()] = None,
    category: Annotated[list[str] | None, Query()] = None,
    tag: Annotated[list[str] | None, Query()] = None,
    author: Annotated[list[str] | None, Query()] = None,
    min_quality: float | None = None,
    min_views: int | None = None,
    has_videos: bool | None = None,
) -> dict[str, Any]:
    """The store takes None as no filter."""
    return dict(locals())


Store = Annotated[WorkflowStore, Depends(opened)]
Filters = Annotated[dict[str, Any], Depends(filters)]


@app.exception_handler(InvalidField)
@app.exception_handler(InvalidCursor)
async def refused(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=422)


@app.get("/workflows")
async def list_workflows(
    store: Store, chosen: Filters, order_by: str = "extracted_at", limit: int = 50, after: str | None = None
) -> JSONResponse:
    page = await store.list_workflows(order_by=order_by, limit=limit, after=after, **chosen)
    return JSONResponse({"items": brief(page.items), "next": page.next})


# An id may have slashes in it: those of imported files are paths.
@app.get("/workflows/{workflow_id:path}")
async def get_workflow(store: Store, workflow_id: str) -> Response:
    workflow = await store.get_workflow(workflow_id)
    if workflow is None:
        raise HTTPException(404, f"workflow {workflow_id!r} is not stored")
    return Response(str(workflow.to_json()), media_type="application/json")


@app.get("/search")
async def search(store: Store, chosen: Filters, q: str, limit: int = 50, after: str | None = None) -> JSONResponse:
    page = await store.search_workflows(q, limit=limit, after=after, **chosen)
    return JSONResponse({"items": brief(hit.workflow for hit in page.items), "next": page.next, "total": page.total})


def brief(workflows: Iterable[Workflow]) -> list[dict[str, Any]]:
    """What a list shows of each workflow; all of it is at its own address."""
    shown = {"title", "author_name", "views"}
    wanted: Any = {"workflow_id": True, "url": True, "quality_score": True, "metadata": shown}
    return [workflow.model_dump(mode="json", include=wanted) for workflow in workflows]
