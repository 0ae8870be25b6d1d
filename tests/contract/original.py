"""The SQLAlchemy layer's own tables, and rows for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from workflow_store import Json

TABLES = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
_JSON = {
    "workflow_metadata": ("categories", "tags", "raw_metadata"),
    "workflow_structure": ("node_types", "workflow_json"),
    "workflow_content": ("raw_content",),
    "video_transcripts": ("transcript_json",),
}
PARTS = ("workflow_metadata", "workflow_structure", "workflow_content")


async def insert(connection: asyncpg.Connection[asyncpg.Record], table: str, **values: Any) -> None:
    """Write one row; JSON columns take Python values, and SQL where the value is bytes."""
    documents = _JSON.get(table, ())
    given = [str(Json(value)) if name in documents and value is not None else value for name, value in values.items()]
    places = ", ".join(f"${number + 1}" for number in range(len(given)))
    await connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})", *given)


def moment(number: int) -> datetime:
    """A time of the original's, which has no zone."""
    return datetime(2025, 10, 11, 12, 13, 14, 150) + timedelta(seconds=number)  # noqa: DTZ001


def rows(count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Tables and rows of so many workflows: every column filled, parts left out by turns, several transcripts."""
    for number in range(count):
        key = {"workflow_id": f"{number:050d}" if number % 7 == 0 else f"w{number}"}
        layers = [bool(number % 3 != 1), bool(number % 5 != 1), bool(number % 4 != 1)]
        yield (
            "workflows",
            key
            | {
                "url": f"https://n8n.io/workflows/{number}",
                "extracted_at": moment(number),
                "updated_at": moment(number + 60),
                "processing_time": number / 7,
                "quality_score": number % 101 + 0.1,
                "layer1_success": layers[0],
                "layer2_success": layers[1],
                "layer3_success": layers[2],
                "error_message": None if all(layers) else f"failed {number}",
                "retry_count": number % 4,
            },
        )
        if layers[0]:
            yield (
                "workflow_metadata",
                key
                | {
                    "title": f"Title {number} \u00e9\u4e16\U0001f600",
                    "description": "long " * number,
                    "use_case": f"Use {number}",
                    "author_name": "Ada",
                    "author_url": "https://n8n.io/creators/ada",
                    "views": 2**31 - 1 - number,
                    "shares": number,
                    "categories": ["Sales", f"c{number}"],
                    "tags": [f"t{number}"],
                    "workflow_created_at": moment(-number),
                    "workflow_updated_at": moment(-number + 5),
                    "extracted_at": moment(number + 1),
                    "raw_metadata": {"success": True, "title": "not this one", "number": number},
                },
            )
        if layers[1]:
            yield (
                "workflow_structure",
                key
                | {
                    "node_count": number,
                    "connection_count": number + 1,
                    "node_types": ["httpRequest", "start"],
                    "extraction_type": ("full", "partial", "fallback", "failed")[number % 4],
                    "fallback_used": number % 2 == 0,
                    "workflow_json": {"nodes": [{"name": f"n{number}", "type": "start"}], "connections": {}},
                    "extracted_at": moment(number + 2),
                },
            )
        if layers[2]:
            yield (
                "workflow_content",
                key
                | {
                    "explainer_text": f"Text {number}",
                    "explainer_html": f"<p>{number}</p>",
                    "setup_instructions": "Set it up",
                    "use_instructions": "Use it",
                    "has_videos": number % 3 > 0,
                    "video_count": number % 3,
                    "has_iframes": True,
                    "iframe_count": 1,
                    "raw_content": {"success": True, "number": number},
                    "extracted_at": moment(number + 3),
                },
            )
        # The ids of their rows do not follow the videos' names.
        for place in reversed(range(number % 3)):
            yield (
                "video_transcripts",
                key
                | {
                    "video_url": f"https://youtu.be/{number}-{place}",
                    "video_id": f"{number}-{place}",
                    "platform": ("youtube", "vimeo")[place],
                    "transcript_text": f"Spoken {place}",
                    "transcript_json": {"segments": [{"start": 0.5, "text": "Spoken"}]},
                    "duration": 300 + place,
                    "language": "en",
                    "extracted_at": moment(number + 4),
                },
            )


async def fill(dsn: str, given: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Make the tables in a database and write rows into them."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute(TABLES)
            for table, values in given:
                await insert(connection, table, **values)
    finally:
        await connection.close()
