"""The method that changes named fields of a stored workflow."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from workflow_store.database import Session, operation, repeated, retried
from workflow_store.errors import InvalidField, InvalidRecord
from workflow_store.models.fields import is_list, is_object
from workflow_store.models.interchange import validated
from workflow_store.models.workflow import Content, Metadata, Structure, Transcript, Workflow
from workflow_store.queries import catalogue
from workflow_store.queries.encoding import encode
from workflow_store.queries.parameters import Encoded, Limits, transcript_arrays
from workflow_store.queries.rows import WorkflowRow, to_workflow
from workflow_store.queries.search import MARK_FOR_SEARCH
from workflow_store.queries.updates import UPDATE_CONTENT, UPDATE_METADATA, UPDATE_STRUCTURE, UPDATE_WORKFLOW
from workflow_store.repository.scope import Scope

# What may be set of each part, and of the workflow's own row; everything else is the store's.
UPDATABLE_PARTS: Final[Mapping[str, frozenset[str]]] = {
    "metadata": frozenset(Metadata.model_fields),
    "structure": frozenset(Structure.model_fields),
    "content": frozenset(Content.model_fields),
}
UPDATABLE_FIELDS: Final[frozenset[str]] = frozenset(
    ("url", "extracted_at", "processing_time", "quality_score", "error_message", "retry_count")
)
# None in these would be "not known", which a stored row can't say.
_NEVER_NONE: Final = frozenset(("extracted_at", "retry_count"))
# The columns of the row that follow a field of a part.
_SORT_KEYS: Final[Mapping[str, Mapping[str, str]]] = {
    "metadata": {"title": "title_key", "views": "views"},
    "structure": {"node_count": "node_count"},
    "content": {},
}
# What search looks into; other fields leave its document as it is.
_SEARCHED: Final[Mapping[str, frozenset[str]]] = {
    "metadata": frozenset(("title", "description", "use_case", "categories", "tags")),
    "structure": frozenset(("node_types", "workflow_json")),
    "content": frozenset(("explainer_text",)),
}


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be set.

    Attributes:
        record: the values, among empty ones where nothing is to be set.
        columns: names of the columns of the workflow's row that are set.
        parts: names of the fields that are set, by part; a part of which nothing is set is not in it.
        rewords: whether search documents may become others.
    """

    record: Encoded
    columns: list[str]
    parts: Mapping[str, list[str]]
    rewords: bool


class UpdateMethods(Scope):
    """Change named fields."""

    @operation
    async def update_workflow(
        self,
        workflow_id: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        structure: Mapping[str, Any] | None = None,
        content: Mapping[str, Any] | None = None,
        transcripts: Sequence[Transcript | Mapping[str, Any]] | None = None,
        timeout: float | None = None,
        **fields: Any,
    ) -> Workflow | None:
        """Set named fields of a stored workflow and its ``updated_at``, in one transaction; the others stay.

        Args:
            metadata: fields of the part by name, such as ``{"views": 5}``; None as a value empties the field. A part
                that is not stored is created, and counts as stored from then on.
            structure: as ``metadata``.
            content: as ``metadata``.
            transcripts: the new list, in place of the stored one.
            fields: ``url``, ``extracted_at``, ``processing_time`` (seconds), ``quality_score``, ``error_message``,
                ``retry_count``.

        Returns:
            The workflow as it is stored now, with all parts; None where there is none.

        Raises:
            InvalidField: a name that is not among these; those that are, are listed.
            InvalidRecord: a value that does not fit its field, which is named.
            ConcurrencyConflict: the server gave it up five times; inside a transaction, the first time.
        """
        parts = {"metadata": metadata, "structure": structure, "content": content}
        given = {part: values for part, values in parts.items() if values is not None}
        listed = None if transcripts is None else _listed(transcripts)
        change = change_of(workflow_id, given, listed, fields, self._limits)
        row = await retried(
            self._sessions, lambda session: repeated(session, lambda: _updated(session, workflow_id, change))
        )
        if row is None:
            return None
        if change.rewords:
            self._changed()
        return to_workflow(row, transcripts=True)


def change_of(
    workflow_id: str,
    parts: Mapping[str, object],
    transcripts: tuple[Any, ...] | None,
    fields: Mapping[str, Any],
    limits: Limits,
) -> Change:
    """Check what a caller wants to set, by the models' own rules, and encode it.

    Raises:
        InvalidField: a name that can't be set.
        InvalidRecord: a value that does not fit.
    """
    _check_names("", fields, UPDATABLE_FIELDS)
    named: dict[str, list[str]] = {}
    members = {"url": "-", **fields, "workflow_id": workflow_id, "transcripts": transcripts}
    for part, values in parts.items():
        if not is_object(values):
            raise InvalidField(part, f"fields by name are expected, not {type(values).__name__}")
        _check_names(f"{part}.", values, UPDATABLE_PARTS[part])
        if values:
            named[part] = list(values)
            members[part] = values
    # The model knows the types; what it fills in where nothing is given is never sent to a column that is not named.
    workflow = validated(members)
    columns = [name for name in fields if name != "retry_count"]
    columns += [_SORT_KEYS[part][name] for part, names in named.items() for name in names if name in _SORT_KEYS[part]]
    if transcripts is not None:
        columns.append("transcripts_hash")
    return Change(
        encode(workflow, limits, datetime.now(UTC)),
        columns,
        named,
        transcripts is not None or any(_SEARCHED[part].intersection(names) for part, names in named.items()),
    )


async def _updated(session: Session, workflow_id: str, change: Change) -> WorkflowRow | None:
    async with session.transaction():
        if not await _apply(session, change):
            return None
        return await session.fetch_one(catalogue.GET_WORKFLOW, workflow_id, True, True, True, True)


async def _apply(session: Session, change: Change) -> bool:
    """Write in the order of every writer: the workflow's row, its parts, the bookkeeping; False where there is none."""
    record = change.record
    workflow_id = record.workflow_id
    if await session.fetch_optional(UPDATE_WORKFLOW, workflow_id, change.columns, *record.workflow[1:]) is None:
        return False
    # The last column of a part is its hash, which an update does not know.
    if record.metadata is not None:
        await session.execute(UPDATE_METADATA, workflow_id, change.parts["metadata"], *record.metadata[1:-1])
    if record.structure is not None:
        await session.execute(UPDATE_STRUCTURE, workflow_id, change.parts["structure"], *record.structure[1:-1])
    if record.content is not None:
        await session.execute(UPDATE_CONTENT, workflow_id, change.parts["content"], *record.content[1:-1])
    if record.transcripts is not None:
        await session.fetch_values(catalogue.MERGE_TRANSCRIPTS, (workflow_id, *transcript_arrays(record.transcripts)))
    if change.rewords:
        await session.execute(MARK_FOR_SEARCH, [workflow_id])
    if record.retry_count is not None:
        await session.execute(catalogue.SET_RETRY_COUNT, workflow_id, record.retry_count)
    return True


def _listed(transcripts: object) -> tuple[Any, ...]:
    if not is_list(transcripts):
        raise InvalidField("transcripts", f"a list is expected, not {type(transcripts).__name__}")
    return tuple(transcripts)


def _check_names(prefix: str, values: Mapping[Any, Any], allowed: Collection[str]) -> None:
    for name in values:
        if name not in allowed:
            raise InvalidField(f"{prefix}{name}", "is no field that can be updated", allowed)
        if values[name] is None and name in _NEVER_NONE:
            raise InvalidRecord(f"{prefix}{name}", "a value is expected, not None")
