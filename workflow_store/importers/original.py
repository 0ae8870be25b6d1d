"""The tables of the SQLAlchemy layer, read from its own server."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Any, Final

from pydantic import SecretStr

from workflow_store.database.connections import address, connect
from workflow_store.database.session import Session
from workflow_store.errors import InvalidField, InvalidRecord, RecordError, SettingsError, StatementRejected
from workflow_store.models import Json, Rejected, Workflow
from workflow_store.models.extraction import workflow_from_extraction
from workflow_store.models.fields import Fields, is_object
from workflow_store.models.interchange import validated
from workflow_store.models.n8n import connection_count
from workflow_store.queries.original import OriginalRow, original_text
from workflow_store.settings import Settings

# Rows that lie in memory at a time; an ingest's own batches come on top.
_PREFETCH: Final = 50
_IDENTIFIER_BYTES: Final = 63
# No such schema, table or column: whatever this database is, the original did not make it.
_NOT_THE_ORIGINAL: Final = frozenset(("3F000", "42P01", "42703", "42883", "42804"))
_TABLES: Final = "workflows, workflow_metadata, workflow_structure, workflow_content and video_transcripts"
_LAYERS: Final = (("layer1", "metadata"), ("layer2", "structure"), ("layer3", "content"))


async def read_original(
    dsn: str | SecretStr, *, schema: str = "public", settings: Settings | None = None
) -> AsyncGenerator[Workflow | Rejected]:
    """Every workflow that the SQLAlchemy layer stored, as ``WorkflowStore.ingest`` takes it.

    All rows come from one snapshot, by a cursor, in a transaction that can't write. A column's value is taken as it
    stands; where it is NULL, what the layer's raw document says of it is. A value that fits no column here is None, and
    named in ``notices``.

    Args:
        dsn: URI of the database; the ``+driver`` that SQLAlchemy puts behind ``postgresql`` may stand there.
        schema: of the five tables.
        settings: their ``connect_timeout`` and ``command_timeout`` hold.

    Yields:
        Workflows in the order in which they were stored, and a ``Rejected`` for a row that can be none.

    Raises:
        SettingsError: the URI is none of PostgreSQL.
        InvalidField: no schema has such a name.
        ServerUnavailable, PermissionDenied: no connection, or the role may not read the tables.
        StatementRejected: the tables are not there, or are not the original's.
    """
    if not 1 <= len(schema.encode("utf-8", "surrogatepass")) <= _IDENTIFIER_BYTES or "\x00" in schema:
        raise InvalidField("schema", f"a schema's name has 1 to {_IDENTIFIER_BYTES} bytes")
    place = _plain_uri(dsn.get_secret_value() if isinstance(dsn, SecretStr) else dsn)
    connection = await connect(place, Settings.load() if settings is None else settings)
    try:
        session = Session(connection)
        async with session.transaction(isolation="repeatable_read", readonly=True):
            try:
                async for rows in session.stream(original_text(schema), (), OriginalRow._make, _PREFETCH):
                    for row in rows:
                        yield _record(row, schema)
            except StatementRejected as error:
                if error.sqlstate not in _NOT_THE_ORIGINAL:
                    raise
                raise StatementRejected(
                    f"{address(place)}, schema {schema}: the original's tables {_TABLES} are not there, or are others:"
                    f" {error}",
                    error.sqlstate,
                ) from None
    finally:
        connection.terminate()


def _plain_uri(dsn: str) -> str:
    scheme, separator, rest = dsn.strip().partition("://")
    name = scheme.partition("+")[0]
    if not separator or name not in ("postgresql", "postgres"):
        raise SettingsError("the original's DSN must be a URI that starts with postgresql://")
    return f"{name}://{rest}"


def _record(row: OriginalRow, schema: str) -> Workflow | Rejected:
    number, key = None, None
    try:
        values = row.workflow.value
        number, key = values.get("id"), values.get("workflow_id")
        return _Reading(row, values).workflow()
    except RecordError as error:
        raw = Json({name: part for name, part in row._asdict().items() if part is not None}).raw
        return Rejected(f"{schema}.workflows, id {number}", str(error), raw, workflow_id=key)


class _Reading:
    """One row of the join on its way to a workflow."""

    def __init__(self, row: OriginalRow, values: Mapping[str, Any]) -> None:
        self.row = row
        self.notices: list[str] = []
        self.fields = Fields(values, "workflows", self.notices)
        self.raw_metadata = _document(row.raw_metadata)
        self.workflow_json = _document(row.workflow_json)
        self.raw_content = _document(row.raw_content)
        self.structure = self._child("workflow_structure", row.structure)
        self.said = self._said()

    def _child(self, table: str, part: Json | None) -> Fields | None:
        return None if part is None else Fields(part.value, table, self.notices)

    def _said(self) -> Workflow:
        """What the raw documents say, for columns that are NULL; what is wrong in them is no news of this import."""
        layers: dict[str, Any] = {
            "layer1": _succeeded(self.raw_metadata),
            "layer3": _succeeded(self.raw_content),
        }
        if self.workflow_json is not None:
            layers["layer2"] = {"success": True, "data": self.workflow_json.value}
        try:
            return workflow_from_extraction("-", "-", {"layers": layers})
        except RecordError:
            return Workflow(workflow_id="-", url="-")

    def workflow(self) -> Workflow:
        """The workflow.

        Raises:
            RecordError: the row can be none.
        """
        fields = self.fields
        if fields.values.get("workflow_id") is None:
            raise InvalidRecord("workflow_id", "it is NULL")
        members: dict[str, Any] = {
            "workflow_id": fields.values["workflow_id"],
            "url": fields.values.get("url"),
            "extracted_at": fields.moment("extracted_at"),
            "processing_time": fields.number("processing_time"),
            "quality_score": fields.number("quality_score"),
            "error_message": fields.text("error_message"),
            "retry_count": self._retry_count(),
            "metadata": self._metadata(),
            "structure": self._structure(),
            "content": self._content(),
            "transcripts": tuple(self._transcripts()) or None,
        }
        for layer, part in _LAYERS:
            flag, there = fields.flag(f"{layer}_success"), members[part] is not None
            if flag is not None and flag != there:
                said = "true" if flag else "false"
                row = "there is a row" if there else "there is no row"
                self.notices.append(
                    f"workflows.{layer}_success: {said}, but {row} in workflow_{part}; {str(there).lower()}"
                )
        own = f"workflow {members['workflow_id']}: "
        return validated(members).with_notices(tuple(own + notice for notice in self.notices))

    def _retry_count(self) -> int | None:
        count = self.fields.count("retry_count")
        if count is not None and count < 0:
            self.fields.refuse("retry_count", count, "not a count")
            return None
        return count

    def _metadata(self) -> dict[str, Any] | None:
        fields = self._child("workflow_metadata", self.row.metadata)
        if fields is None:
            return None
        members: dict[str, Any] = {
            "title": fields.text("title"),
            "description": fields.text("description"),
            "use_case": fields.text("use_case"),
            "author_name": fields.text("author_name"),
            "author_url": fields.text("author_url"),
            "views": fields.count("views"),
            "shares": fields.count("shares"),
            "categories": fields.names("categories"),
            "tags": fields.names("tags"),
            "workflow_created_at": fields.moment("workflow_created_at"),
            "workflow_updated_at": fields.moment("workflow_updated_at"),
            "raw_metadata": self.raw_metadata,
            "extracted_at": fields.moment("extracted_at"),
        }
        if self.said.metadata is not None:
            # Beside the layer it holds what stood around the workflow in layer 2, which is taken out there.
            if self._is_wrapped:
                members["raw_metadata"] = self.said.metadata.raw_metadata
            _fill(members, self.said.metadata)
        return members

    @property
    def _is_wrapped(self) -> bool:
        """Whether the workflow lies inside a template-API answer, and there is a place for the rest of that."""
        said = self.said.structure
        return (
            self.structure is not None
            and said is not None
            and self.row.metadata is not None
            and self.said.metadata is not None
            and said.workflow_json != self.workflow_json
        )

    def _structure(self) -> dict[str, Any] | None:
        fields = self.structure
        if fields is None:
            return None
        members: dict[str, Any] = {
            "node_count": fields.count("node_count"),
            "connection_count": fields.count("connection_count"),
            "node_types": fields.names("node_types"),
            "extraction_type": fields.text("extraction_type"),
            "fallback_used": fields.flag("fallback_used") or False,
            "workflow_json": self.workflow_json,
            "extracted_at": fields.moment("extracted_at"),
        }
        said = self.said.structure
        if said is not None:
            if self._is_wrapped:
                members["workflow_json"] = said.workflow_json
            body = None if said.workflow_json is None else said.workflow_json.value
            # The original counted the kinds of outputs of each node.
            if is_object(body) and body.get("connections"):
                members["connection_count"] = connection_count(body)
            _fill(members, said)
        return members

    def _content(self) -> dict[str, Any] | None:
        fields = self._child("workflow_content", self.row.content)
        if fields is None:
            return None
        members: dict[str, Any] = {
            "explainer_text": fields.text("explainer_text"),
            "explainer_html": fields.text("explainer_html"),
            "setup_instructions": fields.text("setup_instructions"),
            "use_instructions": fields.text("use_instructions"),
            "has_videos": fields.flag("has_videos"),
            "video_count": fields.count("video_count"),
            "has_iframes": fields.flag("has_iframes"),
            "iframe_count": fields.count("iframe_count"),
            "raw_content": self.raw_content,
            "extracted_at": fields.moment("extracted_at"),
        }
        if self.said.content is not None:
            _fill(members, self.said.content)
        for name, nothing in (("video_count", 0), ("iframe_count", 0)):
            members[name] = nothing if members[name] is None else members[name]
        for name, counted in (("has_videos", "video_count"), ("has_iframes", "iframe_count")):
            members[name] = members[counted] > 0 if members[name] is None else members[name]
        return members

    def _transcripts(self) -> Iterator[dict[str, Any]]:
        spoken: list[dict[str, Any]] = [] if self.row.transcripts is None else self.row.transcripts.value
        for values in spoken:
            fields = Fields(values, "video_transcripts", self.notices)
            document = values.get("transcript_json")
            yield {
                "video_url": values.get("video_url"),
                "video_id": fields.text("video_id"),
                "platform": fields.text("platform"),
                "transcript_text": fields.text("transcript_text"),
                "transcript_json": None if document is None else Json(document),
                "duration": fields.number("duration"),
                "language": fields.text("language"),
                "extracted_at": fields.moment("extracted_at"),
            }


def _document(part: Json | None) -> Json | None:
    """SQLAlchemy writes a JSON null where None was meant."""
    return None if part is None or part.raw == b"null" else part


def _succeeded(layer: Json | None) -> Any:
    """A layer's raw document; a row of it is there only because it was a success."""
    value = None if layer is None else layer.value
    return {**value, "success": True} if is_object(value) else None


def _fill(members: dict[str, Any], said: Any) -> None:
    for name, value in members.items():
        if value is None and not name.startswith("raw_"):
            members[name] = getattr(said, name)
