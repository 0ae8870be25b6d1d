"""Every statement the library sends, by name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from workflow_store.models.json import Json
from workflow_store.queries.parameters import (
    ContentValues,
    MetadataValues,
    StructureValues,
    TranscriptValues,
    WorkflowValues,
)
from workflow_store.queries.query import Copy, Query
from workflow_store.queries.rows import (
    KnownRow,
    MergedMetadataRow,
    ResolveRow,
    ServerFacts,
    StampedRow,
    WorkflowRow,
)

GET_WORKFLOW = Query[WorkflowRow, str, bool, bool, bool, bool]("workflow/get")
CREATE_WORKFLOW = Query[
    str,
    # the workflow's row
    str, str, datetime, float | None, float | None, bool, bool, bool, str | None, bytes | None, str | None,
    int | None, int | None,
    # metadata
    str | None, str | None, str | None, str | None, str | None, int | None, int | None, Json | None, Json | None,
    datetime | None, datetime | None, Json | None, datetime | None, bytes | None,
    # structure
    int | None, int | None, Json | None, str | None, bool | None, Json | None, datetime | None, bytes | None,
    # content
    str | None, str | None, str | None, str | None, bool | None, int | None, bool | None, int | None, Json | None,
    datetime | None, bytes | None,
    # transcripts, one array a column
    Sequence[str], Sequence[str | None], Sequence[str | None], Sequence[str | None], Sequence[Json | None],
    Sequence[float | None], Sequence[str | None], Sequence[datetime],
    # retry_count
    int | None,
]("workflow/create")  # fmt: skip
CREATE_WORKFLOWS = Query[
    None,
    # the workflows' rows, one array a column
    Sequence[str], Sequence[str], Sequence[datetime], Sequence[float | None], Sequence[float | None], Sequence[bool],
    Sequence[bool], Sequence[bool], Sequence[str | None], Sequence[bytes | None], Sequence[str | None],
    Sequence[int | None], Sequence[int | None],
    # metadata
    Sequence[str], Sequence[str | None], Sequence[str | None], Sequence[str | None], Sequence[str | None],
    Sequence[str | None], Sequence[int | None], Sequence[int | None], Sequence[Json | None], Sequence[Json | None],
    Sequence[datetime | None], Sequence[datetime | None], Sequence[Json | None], Sequence[datetime], Sequence[bytes],
    # structure
    Sequence[str], Sequence[int | None], Sequence[int | None], Sequence[Json | None], Sequence[str | None],
    Sequence[bool], Sequence[Json | None], Sequence[datetime], Sequence[bytes],
    # content
    Sequence[str], Sequence[str | None], Sequence[str | None], Sequence[str | None], Sequence[str | None],
    Sequence[bool], Sequence[int], Sequence[bool], Sequence[int], Sequence[Json | None], Sequence[datetime],
    Sequence[bytes],
    # transcripts
    Sequence[str], Sequence[int], Sequence[str], Sequence[str | None], Sequence[str | None], Sequence[str | None],
    Sequence[Json | None], Sequence[float | None], Sequence[str | None], Sequence[datetime],
    # retry counts, and the hashes they are recognised by
    Sequence[int | None], Sequence[str],
]("ingest/create")  # fmt: skip
LOCK_WORKFLOW = Query[
    str, str, str, datetime, float | None, float | None, bool, bool, bool, str | None, bytes | None, str | None,
    int | None, int | None,
]("workflow/lock")  # fmt: skip
STAMP_WORKFLOW = Query[
    StampedRow, str, str, datetime, float | None, float | None, bool, bool, bool, str | None, bytes | None, str | None,
    int | None, int | None, bool, bool,
]("workflow/stamp")  # fmt: skip
DELETE_WORKFLOW = Query[bool, str]("workflow/delete")

RESOLVE = Query[ResolveRow, Sequence[str]]("ingest/resolve")
KNOWN_WORKFLOWS = Query[KnownRow, Sequence[str]]("ingest/known")

MERGE_METADATA = Query[
    MergedMetadataRow, str, str | None, str | None, str | None, str | None, str | None, int | None, int | None,
    Json | None, Json | None, datetime | None, datetime | None, Json | None, datetime, bytes,
]("metadata/merge")  # fmt: skip
MERGE_STRUCTURE = Query[
    bool, str, int | None, int | None, Json | None, str | None, bool, Json | None, datetime, bytes
]("structure/merge")  # fmt: skip
MERGE_CONTENT = Query[
    bool, str, str | None, str | None, str | None, str | None, bool, int, bool, int, Json | None, datetime, bytes
]("content/merge")  # fmt: skip
MERGE_TRANSCRIPTS = Query[
    bool, str, Sequence[str], Sequence[str | None], Sequence[str | None], Sequence[str | None], Sequence[Json | None],
    Sequence[float | None], Sequence[str | None], Sequence[datetime],
]("transcript/merge")  # fmt: skip
DELETE_METADATA = Query[str, str]("metadata/delete")
DELETE_STRUCTURE = Query[str, str]("structure/delete")
DELETE_CONTENT = Query[str, str]("content/delete")
DELETE_TRANSCRIPTS = Query[str, str]("transcript/delete")
REFRESH_TRANSCRIPTS_HASH = Query[None, str, bytes]("transcript/refresh_hash")

# Arrays of text alone: the driver knows them from the start, and asks the server for what any other array is.
SCRAPE_SEEN = Query[None, Sequence[str], Sequence[str], Sequence[str], Sequence[str], Sequence[str | None]](
    "scrape/seen"
)
SET_RETRY_COUNT = Query[None, str, int]("scrape/set_retry_count")

COPY_WORKFLOWS = Copy("workflows", WorkflowValues)
COPY_METADATA = Copy("workflow_metadata", MetadataValues)
COPY_STRUCTURE = Copy("workflow_structure", StructureValues)
COPY_CONTENT = Copy("workflow_content", ContentValues)
COPY_TRANSCRIPTS = Copy("video_transcripts", TranscriptValues)

AT_WORK = Query[bool, int, bool, float, int | None, float]("server/at_work")
BACKEND_PID = Query[int]("server/backend_pid")
PING = Query[int]("server/ping")
HAS_LZ4 = Query[bool]("server/has_lz4")
SERVER_FACTS = Query[ServerFacts]("server/facts")
