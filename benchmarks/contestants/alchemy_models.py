"""The five tables that the ORM works with, in a schema of their own: serial keys, times without a zone, no full text.

Imported only where SQLAlchemy is installed. The classes are mapped without declarations, so that a type checker has
nothing to say about them where it is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session, joinedload, registry, relationship

SCHEMA: Final = "original"
_mappers = registry(metadata=sa.MetaData(schema=SCHEMA))


class Workflow:
    """A row of ``workflows`` with its children."""

    parts: Any
    structure: Any
    content: Any
    transcripts: Any
    workflow_id: Any
    extracted_at: Any


class Metadata:
    """Layer 1."""

    title: Any
    description: Any


class Structure:
    """Layer 2."""


class Content:
    """Layer 3."""


class Transcript:
    """One of a video."""


def _table(name: str, *columns: Any) -> Any:
    return sa.Table(name, _mappers.metadata, sa.Column("id", sa.Integer, primary_key=True), *columns)


def _child(name: str, *columns: Any, unique: bool = True) -> Any:
    key = sa.ForeignKey(f"{SCHEMA}.workflows.workflow_id", ondelete="CASCADE")
    parent = sa.Column("workflow_id", sa.String(50), key, nullable=False, unique=unique, index=not unique)
    return _table(name, parent, *columns, sa.Column("extracted_at", sa.DateTime))


_workflows = _table(
    "workflows",
    sa.Column("workflow_id", sa.String(50), unique=True, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("extracted_at", sa.DateTime, index=True),
    sa.Column("updated_at", sa.DateTime),
    sa.Column("processing_time", sa.Float),
    sa.Column("quality_score", sa.Float, index=True),
    sa.Column("layer1_success", sa.Boolean),
    sa.Column("layer2_success", sa.Boolean),
    sa.Column("layer3_success", sa.Boolean),
    sa.Column("error_message", sa.Text),
    sa.Column("retry_count", sa.Integer),
)
_metadata = _child(
    "workflow_metadata",
    sa.Column("title", sa.Text, index=True),
    sa.Column("description", sa.Text),
    sa.Column("use_case", sa.Text),
    sa.Column("author_name", sa.Text),
    sa.Column("author_url", sa.Text),
    sa.Column("views", sa.Integer),
    sa.Column("shares", sa.Integer),
    sa.Column("categories", JSONB),
    sa.Column("tags", JSONB),
    sa.Column("workflow_created_at", sa.DateTime),
    sa.Column("workflow_updated_at", sa.DateTime),
    sa.Column("raw_metadata", JSONB),
    sa.Index("workflow_metadata_categories_idx", "categories", postgresql_using="gin"),
)
_structure = _child(
    "workflow_structure",
    sa.Column("node_count", sa.Integer, index=True),
    sa.Column("connection_count", sa.Integer),
    sa.Column("node_types", JSONB),
    sa.Column("extraction_type", sa.String(20)),
    sa.Column("fallback_used", sa.Boolean),
    sa.Column("workflow_json", JSONB),
    sa.Index("workflow_structure_node_types_idx", "node_types", postgresql_using="gin"),
)
_content = _child(
    "workflow_content",
    sa.Column("explainer_text", sa.Text),
    sa.Column("explainer_html", sa.Text),
    sa.Column("setup_instructions", sa.Text),
    sa.Column("use_instructions", sa.Text),
    sa.Column("has_videos", sa.Boolean, index=True),
    sa.Column("video_count", sa.Integer),
    sa.Column("has_iframes", sa.Boolean),
    sa.Column("iframe_count", sa.Integer),
    sa.Column("raw_content", JSONB),
)
_transcripts = _child(
    "video_transcripts",
    sa.Column("video_url", sa.Text, nullable=False),
    sa.Column("video_id", sa.Text),
    sa.Column("platform", sa.String(20), index=True),
    sa.Column("transcript_text", sa.Text),
    sa.Column("transcript_json", JSONB),
    sa.Column("duration", sa.Float),
    sa.Column("language", sa.String(20)),
    unique=False,
)

_CASCADE: Final = "all, delete-orphan"
_mappers.map_imperatively(
    Workflow,
    _workflows,
    properties={
        # `metadata` is a name that SQLAlchemy keeps for itself.
        "parts": relationship(Metadata, uselist=False, cascade=_CASCADE, passive_deletes=True),
        "structure": relationship(Structure, uselist=False, cascade=_CASCADE, passive_deletes=True),
        "content": relationship(Content, uselist=False, cascade=_CASCADE, passive_deletes=True),
        "transcripts": relationship(Transcript, cascade=_CASCADE, passive_deletes=True),
    },
)
_mappers.map_imperatively(Metadata, _metadata)
_mappers.map_imperatively(Structure, _structure)
_mappers.map_imperatively(Content, _content)
_mappers.map_imperatively(Transcript, _transcripts)


def create(engine: Any) -> None:
    """Make the schema and the tables, unless they are there."""
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(SCHEMA, if_not_exists=True))
        _mappers.metadata.create_all(connection)


def empty(engine: Any) -> None:
    """Make the tables anew."""
    with engine.begin() as connection:
        _mappers.metadata.drop_all(connection)
        _mappers.metadata.create_all(connection)


def session(engine: Any) -> Any:
    """A session, to be entered."""
    return Session(engine)


def workflow_of(values: Mapping[str, Any]) -> Workflow:
    """An object with its children."""
    workflow: Workflow = _made(Workflow, values["workflow"])
    workflow.parts = values["metadata"] and _made(Metadata, values["metadata"])
    workflow.structure = values["structure"] and _made(Structure, values["structure"])
    workflow.content = values["content"] and _made(Content, values["content"])
    workflow.transcripts = [_made(Transcript, transcript) for transcript in values["transcripts"]]
    return workflow


def find(opened: Any, workflow_id: str) -> Any:
    """One workflow; its children are read when they are asked for."""
    return opened.scalars(sa.select(Workflow).where(_workflows.c.workflow_id == workflow_id)).one()


def find_whole(opened: Any, workflow_id: str) -> Any:
    """One workflow and its children by one joined SELECT."""
    whole = (
        joinedload(Workflow.parts),
        joinedload(Workflow.structure),
        joinedload(Workflow.content),
        joinedload(Workflow.transcripts),
    )
    query = sa.select(Workflow).options(*whole).where(_workflows.c.workflow_id == workflow_id)
    return opened.scalars(query).unique().one()


def list_page(opened: Any, count: int) -> Any:
    """The newest workflows, with their metadata by one joined SELECT."""
    order = _workflows.c.extracted_at.desc()
    query = sa.select(Workflow).options(joinedload(Workflow.parts)).order_by(order).limit(count)
    return opened.scalars(query).unique().all()


def search(opened: Any, words: str, count: int) -> Any:
    """Workflows with the words in their title or description, in no order."""
    pattern = f"%{words}%"
    found = sa.or_(_metadata.c.title.ilike(pattern), _metadata.c.description.ilike(pattern))
    query = sa.select(Workflow).join(Workflow.parts).options(joinedload(Workflow.parts)).where(found).limit(count)
    return opened.scalars(query).unique().all()


def _made(kind: type[Any], values: Mapping[str, Any]) -> Any:
    # What the store keeps beside (hashes, keys of lists) these tables do not have.
    made = kind()
    for name, value in values.items():
        if name in _COLUMNS[kind]:
            setattr(made, name, value)
    return made


_KEYS: Final = frozenset(("id", "workflow_id"))
_COLUMNS: Final[Mapping[type[Any], frozenset[str]]] = {
    # A child's key comes from its parent.
    Workflow: frozenset(_workflows.columns.keys()) - {"id"},
    Metadata: frozenset(_metadata.columns.keys()) - _KEYS,
    Structure: frozenset(_structure.columns.keys()) - _KEYS,
    Content: frozenset(_content.columns.keys()) - _KEYS,
    Transcript: frozenset(_transcripts.columns.keys()) - _KEYS,
}
TABLES: Final = tuple(_mappers.metadata.tables[key].name for key in _mappers.metadata.tables)
