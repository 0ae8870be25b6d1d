"""The shapes a record may have, and the workflow each one gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from workflow_store.errors import InvalidRecord, RecordError
from workflow_store.importers.document import Document, read_document
from workflow_store.importers.exported import read_exported
from workflow_store.importers.limits import Limits
from workflow_store.importers.place import IdFrom, Place, id_text, workflow_key
from workflow_store.importers.templates import (
    TemplateAnswer,
    is_template_answer,
    read_template,
    repeated_keys,
    structure_of,
)
from workflow_store.importers.wrapped import WrappedWorkflow, read_wrapped
from workflow_store.models import Json, Rejected, Workflow
from workflow_store.models.decoding import check_depth
from workflow_store.models.extraction import workflow_from_extraction
from workflow_store.models.fields import Fields, is_object, shown
from workflow_store.models.interchange import validated

Record: TypeAlias = Workflow | TemplateAnswer | Rejected

_PARTS_WITH_DOCUMENTS: Final = ("metadata", "structure", "content")
_DOCUMENTS: Final = ("raw_metadata", "workflow_json", "raw_content", "transcript_json")
_LISTS: Final = ("workflows", "data")
_SHOWN_KEYS: Final = 8


@dataclass(frozen=True, slots=True)
class RecordReader:
    """Turns JSON text into records; one bad record never stops the next."""

    id_from: IdFrom
    limits: Limits

    def read(self, raw: bytes, place: Place) -> Iterator[Record]:
        """The records of one JSON text: one, or those of a list."""
        common = self._common(raw, place)
        if common is not None:
            yield common
            return
        try:
            document = read_document(raw, self.limits)
        except RecordError as error:
            yield self._rejected(place, error, raw)
            return
        yield from self._records(document, place, raw)

    def _common(self, raw: bytes, place: Place) -> Workflow | None:
        """The workflow of a line as most are; None where there is more to it."""
        try:
            line = read_wrapped(raw, self.limits)
            if line is not None:
                return self._workflow(line, line.source, None, line, place)
            return read_exported(raw, self.limits)
        except RecordError:
            # What is wrong, and where, is for the general reader to say.
            return None

    def _records(self, document: Document, place: Place, raw: bytes | None = None) -> Iterator[Record]:
        elements = _elements(document)
        if elements is not None:
            for index, element in enumerate(elements):
                yield from self._records(element, place.element(index))
            return
        try:
            yield self._record(document, place)
        except RecordError as error:
            value = document.value
            named = id_text(value.get("workflow_id")) if is_object(value) else None
            yield self._rejected(place, error, document.raw if raw is None else raw, named)

    def _rejected(self, place: Place, error: RecordError, raw: bytes, workflow_id: str | None = None) -> Rejected:
        return Rejected(
            place.source,
            str(error),
            raw,
            workflow_id=workflow_id,
            relative=place.relative,
            id_from=self.id_from,
        )

    def _record(self, document: Document, place: Place) -> Workflow | TemplateAnswer:
        value = document.value
        if not is_object(value):
            raise InvalidRecord("record", f"an n8n workflow is an object, this is {shown(value, 40)}")
        if "workflow_id" in value and "url" in value:
            return self._extraction(document) if "layers" in value else self._exported(document)
        record = document.members.get("record")
        if record is not None and "source" in value and is_template_answer(record.value):
            return read_template(record, self.id_from, place, self.limits)
        body = document.members.get("workflow")
        if "nodes" not in value and body is not None and "source" in value:
            return self._wrapped(document, body, place)
        if is_template_answer(value):
            return read_template(document, self.id_from, place, self.limits)
        if "nodes" not in value and body is not None:
            return self._wrapped(document, body, place)
        return self._workflow(document, None, None, document, place)

    def _wrapped(self, document: Document, body: Document, place: Place) -> Workflow:
        """``{"source", "workflow"}``; whatever else is in it goes into ``raw_metadata``."""
        source = document.value.get("source")
        if not (source is None or isinstance(source, str)):
            raise InvalidRecord("source", f"text is expected, not {shown(source, 40)}")
        more = {key: value for key, value in document.value.items() if key not in ("source", "workflow")}
        raw_metadata = Json({"source": source, **more}) if more else None
        return self._workflow(body, source, raw_metadata, document, place)

    def _workflow(
        self,
        body: Document | WrappedWorkflow,
        source: str | None,
        raw_metadata: Json | None,
        whole: Document | WrappedWorkflow,
        place: Place,
    ) -> Workflow:
        """A workflow as n8n exports it."""
        value: Mapping[str, Any] = body.value
        if not isinstance(value.get("nodes"), list):
            raise InvalidRecord("nodes", _no_workflow(value))
        notices: list[str] = []
        fields = Fields(value, "workflow", notices)
        metadata: dict[str, Any] = {
            "title": fields.text("name"),
            "description": fields.text("description"),
            "tags": fields.names("tags"),
            "workflow_created_at": fields.moment("createdAt"),
            "workflow_updated_at": fields.moment("updatedAt"),
            "raw_metadata": raw_metadata,
        }
        workflow_id, url = workflow_key(self.id_from, value, source, place)
        workflow = validated(
            {
                "workflow_id": workflow_id,
                "url": url,
                "metadata": metadata if any(member is not None for member in metadata.values()) else None,
                "structure": structure_of(body, self.limits),
            }
        )
        notices.extend(repeated_keys(whole))
        return workflow.with_notices(tuple(notices)) if notices else workflow

    def _extraction(self, document: Document) -> Workflow:
        value = document.value
        url = value["url"]
        workflow = workflow_from_extraction(id_text(value["workflow_id"]) or "", url, value)
        notices = workflow.notices + repeated_keys(document)
        columns = [
            workflow.metadata.raw_metadata if workflow.metadata else None,
            workflow.structure.workflow_json if workflow.structure else None,
            workflow.content.raw_content if workflow.content else None,
        ]
        for column in columns:
            if column is not None:
                self._check(column)
        return workflow.with_notices(notices) if notices else workflow

    def _check(self, column: Json) -> None:
        if self.limits.nul == "reject":
            column.check(max_bytes=self.limits.max_document_bytes, max_depth=self.limits.max_depth)
        else:
            check_depth(column.raw, self.limits.max_depth)

    def _exported(self, document: Document) -> Workflow:
        """What ``Workflow.to_json`` wrote; its JSON columns keep their bytes."""
        members = dict(document.value)
        for part in _PARTS_WITH_DOCUMENTS:
            if part in document.members:
                members[part] = self._part(document.members[part])
        transcripts = document.members.get("transcripts")
        if transcripts is not None and transcripts.elements is not None:
            members["transcripts"] = [self._part(transcript) for transcript in transcripts.elements]
        workflow = validated(members)
        notices = repeated_keys(document)
        return workflow.with_notices(notices) if notices else workflow

    def _part(self, part: Document) -> Any:
        """An exported part, with its JSON column as it was written."""
        documents = {name: part.members[name].json(self.limits) for name in _DOCUMENTS if name in part.members}
        return {**part.value, **documents} if documents else part.value


def _elements(document: Document) -> list[Document] | None:
    """The records of a list, of a search answer ``{"workflows": […]}`` or of a page ``{"data": […]}``."""
    if document.elements is not None:
        return document.elements
    if is_object(document.value) and "nodes" not in document.value:
        for key in _LISTS:
            member = document.members.get(key)
            if member is not None and member.elements is not None:
                return member.elements
    return None


def _no_workflow(value: Mapping[str, Any]) -> str:
    if "nodes" in value:
        return f"no n8n workflow: its nodes are no list but {shown(value['nodes'], 40)}"
    if not value:
        return "no n8n workflow: an empty object"
    keys = ", ".join(str(key)[:40] for key in list(value)[:_SHOWN_KEYS])
    return f"no n8n workflow: an object without nodes, with {keys}{', …' if len(value) > _SHOWN_KEYS else ''}"
