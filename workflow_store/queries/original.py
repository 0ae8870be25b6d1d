"""The one statement on tables that are not ours: those of the SQLAlchemy layer."""

from __future__ import annotations

from typing import NamedTuple

from workflow_store.models.json import Json
from workflow_store.resources import statement


class OriginalRow(NamedTuple):
    """``original/read``."""

    workflow: Json
    metadata: Json | None
    raw_metadata: Json | None
    structure: Json | None
    workflow_json: Json | None
    content: Json | None
    raw_content: Json | None
    transcripts: Json | None


def original_text(schema: str) -> str:
    """The statement with the name of its schema, which no parameter can stand for."""
    quoted = '"' + schema.replace('"', '""') + '"'
    return statement("original/read").replace("{schema}", quoted)
