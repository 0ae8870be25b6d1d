"""Answers of n8n's template API: the search's item and the detail, and joining the two by template id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from workflow_store.errors import InvalidRecord
from workflow_store.importers.document import Document
from workflow_store.importers.limits import Limits
from workflow_store.importers.place import CREATOR_URL, TEMPLATE_URL, IdFrom, Place, id_text
from workflow_store.importers.wrapped import WrappedWorkflow
from workflow_store.models import Json, Metadata, Workflow
from workflow_store.models.fields import Fields, is_object
from workflow_store.models.interchange import validated
from workflow_store.models.n8n import connection_count, node_count, node_types
from workflow_store.models.notices import DuplicateKeys


@dataclass(frozen=True, slots=True)
class TemplateAnswer:
    """One answer as a workflow of its own.

    Attributes:
        kind: ``search`` has metadata alone, ``detail`` has structure and the little metadata that came with it.
        size: bytes it was read from.
        joins: whether the other answer of the same template belongs to the same workflow.
    """

    template_id: str
    kind: Literal["search", "detail"]
    workflow: Workflow
    size: int
    joins: bool


def is_template_answer(value: Mapping[str, Any]) -> bool:
    """Whether an object looks like an answer of the template API, in any of its forms."""
    body = value.get("workflow")
    if is_object(body):
        return ("id" in value and "name" in value) or is_object(body.get("workflow"))
    return "id" in value and "totalViews" in value and "connections" not in value


def read_template(document: Document, id_from: IdFrom, place: Place, limits: Limits) -> TemplateAnswer:
    """Read one answer.

    The forms are a search item ``{"id", "name", "totalViews", …}``, a detail ``{"id", "name", "workflow": {"nodes",
    …}}`` and the detail as the API sends it, which is one more ``{"workflow": …}`` around that.

    Raises:
        InvalidRecord: no id, or a detail without nodes.
        InvalidJson: the workflow in it can't be stored.
    """
    record = document
    inner = document.members.get("workflow")
    if inner is not None and is_object(inner.value) and is_object(inner.value.get("workflow")):
        record = inner
    template_id = id_text(record.value.get("id"))
    if template_id is None:
        raise InvalidRecord("id", "a template-API answer without an id")
    notices: list[str] = []
    body = record.members.get("workflow")
    fields = Fields(record.value, f"template {template_id}", notices)
    metadata = _metadata(fields)
    structure = None
    if body is None:
        metadata["raw_metadata"] = record.json(limits)
    else:
        if not isinstance(body.value.get("nodes"), list):
            raise InvalidRecord("workflow", f"template {template_id} comes without a list of nodes")
        metadata["raw_metadata"] = Json({key: value for key, value in record.value.items() if key != "workflow"})
        metadata["tags"] = Fields(body.value, f"template {template_id}", notices).names("tags")
        structure = structure_of(body, limits) | {"extracted_at": fields.moment("lastFetched")}
    workflow = validated(
        {
            "workflow_id": place.relative if id_from == "path" else template_id,
            "url": f"{TEMPLATE_URL}{template_id}",
            "metadata": metadata,
            "structure": structure,
        }
    ).with_notices((*notices, *repeated_keys(document)))
    kind: Final = "search" if body is None else "detail"
    return TemplateAnswer(template_id, kind, workflow, document.end - document.start, joins=id_from != "path")


def _metadata(fields: Fields) -> dict[str, Any]:
    user = Fields(fields.mapping("user") or {}, f"{fields.name}.user", fields.notices)
    username = user.text("username")
    return {
        "title": fields.text("name"),
        "description": fields.text("description"),
        "views": fields.count("totalViews", "views"),
        "author_name": user.text("name") or username,
        "author_url": f"{CREATOR_URL}{username}" if username else None,
        "categories": fields.names("categories"),
        "workflow_created_at": fields.moment("createdAt"),
        "workflow_updated_at": fields.moment("updatedAt"),
    }


def structure_of(body: Document | WrappedWorkflow, limits: Limits) -> dict[str, Any]:
    """Members of ``Structure`` from a workflow as n8n exports it."""
    return {
        "node_count": node_count(body.value),
        "connection_count": connection_count(body.value),
        "node_types": node_types(body.value),
        "extraction_type": "full",
        "workflow_json": body.json(limits),
    }


def repeated_keys(document: Document | WrappedWorkflow) -> tuple[str, ...]:
    """A notice on keys that came twice in one object, if any did."""
    if not document.repeated:
        return ()
    named = ", ".join(repr(key[:80]) for key in dict.fromkeys(document.repeated[:5]))
    text = f"{len(document.repeated):,} repeated keys in one object or another, the last of each stays: {named}"
    return (DuplicateKeys(text, len(document.repeated)),)


class Joiner:
    """Makes one workflow of the two answers about one template, whichever comes first.

    The one that came first waits in memory for the other. Above ``limits.max_held_bytes`` the one that waited longest
    is given out alone; its other half then comes with the missing part only, so that a store folds the two into the
    same workflow.
    """

    def __init__(self, limits: Limits) -> None:
        self._max_held = limits.max_held_bytes
        self._held = 0
        self._waiting: dict[str, TemplateAnswer] = {}
        self._given: set[str] = set()

    def add(self, answer: TemplateAnswer) -> Iterator[Workflow]:
        """Take an answer; what is complete, or can't wait any longer, comes out."""
        key = answer.template_id
        if not answer.joins:
            yield answer.workflow
        elif key in self._given:
            yield answer.workflow if answer.kind == "search" else _without_metadata(answer.workflow)
        else:
            other = self._waiting.pop(key, None)
            self._held -= other.size if other else 0
            if other is not None and other.kind != answer.kind:
                self._given.add(key)
                yield _joined(other, answer)
                return
            self._waiting[key] = answer
            self._held += answer.size
            while self._held > self._max_held:
                oldest = next(iter(self._waiting))
                given = self._waiting.pop(oldest)
                self._held -= given.size
                self._given.add(oldest)
                yield given.workflow

    def rest(self) -> Iterator[Workflow]:
        """What waited in vain, in the order it came."""
        for answer in self._waiting.values():
            yield answer.workflow
        self._waiting.clear()
        self._held = 0


def _joined(one: TemplateAnswer, two: TemplateAnswer) -> Workflow:
    search, detail = (one.workflow, two.workflow) if one.kind == "search" else (two.workflow, one.workflow)
    thin = detail.metadata or Metadata()
    rich = search.metadata or Metadata()
    filled = {name: getattr(thin, name) for name in Metadata.model_fields if getattr(rich, name) is None}
    workflow = Workflow(
        workflow_id=search.workflow_id,
        url=search.url,
        metadata=rich.model_copy(update=filled),
        structure=detail.structure,
    )
    return workflow.with_notices(search.notices + detail.notices)


def _without_metadata(workflow: Workflow) -> Workflow:
    return Workflow(workflow_id=workflow.workflow_id, url=workflow.url, structure=workflow.structure).with_notices(
        workflow.notices
    )
