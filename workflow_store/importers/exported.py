"""Lines of ``Workflow.to_json``, read in a fraction of the general reader's time.

A line is read here only where that gives what the general reader gives; every other one is left to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, TypedDict, get_args, get_type_hints

import msgspec
from msgspec import Meta, Raw
from pydantic import BaseModel

from workflow_store.importers.limits import Limits
from workflow_store.models import Content, Json, Metadata, Structure, Transcript, Workflow
from workflow_store.models.building import built
from workflow_store.models.json import DEFAULT_MAX_DEPTH
from workflow_store.models.plain import has_each_key_once, may_hide
from workflow_store.models.workflow import Count, Moment, Names, Number, in_utc

_START: Final = b'{"workflow_id":'
# Its first two fields tell it from every other shape of a record.
_KEY: Final = re.compile(_START + rb'"([^"\\\x00-\x1f]{1,256})","url":"')
# So long an id is known to fit the key in any alphabet.
_SHORT_ID: Final = 256
# How to_json writes a moment. What else a moment may look like is for the model to read.
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3])(?::[0-9]{2}){2}(?:\.[0-9]{6})?\+00:00")
# Each type of a field by the one a line is read as: nothing but what the model takes as it is.
_READ_AS: Final[tuple[tuple[object, Any], ...]] = (
    (Json, Raw),
    (Moment, str),
    (Names, tuple[str, ...]),
    (Count, Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]),
    (Number, Annotated[float, Meta(ge=-1e300, le=1e300)]),
    (str, str),
    (bool, bool),
)


class _Part:
    """How a model is read from a line, and made of what was read."""

    def __init__(self, model: type[BaseModel], **more: Any) -> None:
        self.model = model
        hints = get_type_hints(model, include_extras=True)
        read_as: dict[str, Any] = {}
        self.documents: list[str] = []
        self.moments: list[str] = []
        for name in model.model_fields:
            hint = hints[name]
            types = get_args(hint) if type(None) in get_args(hint) else (hint,)
            read_as[name] = more.get(name) or _read_as(types[0])
            if Json in types:
                # null is a document, too.
                self.documents.append(name)
            elif len(types) > 1:
                read_as[name] = read_as[name] | None
            if Moment in types:
                self.moments.append(name)
        self.type: Any = TypedDict(f"_{model.__name__}", read_as, total=False)  # type: ignore[misc]
        self.needed = [name for name, field in model.model_fields.items() if field.is_required()]
        self.defaults = {
            name: None if field.is_required() else field.default for name, field in model.model_fields.items()
        }

    def made(self, members: Mapping[str, Any]) -> Any:
        """The model.

        Raises:
            ValueError: only the general reader knows what to make of it.
        """
        values = {**self.defaults, **members}
        for name in self.needed:
            if not values[name]:
                raise ValueError(name)
        for name in self.moments:
            text = values[name]
            if text is not None:
                if _MOMENT.fullmatch(text) is None:
                    raise ValueError(name)
                values[name] = in_utc(datetime.fromisoformat(text))
        return built(self.model, values, members.keys())


def _read_as(hint: object) -> Any:
    for known, read_as in _READ_AS:
        if hint is known:
            return read_as
    raise TypeError(f"no way to read {hint}")


_METADATA: Final = _Part(Metadata)
_STRUCTURE: Final = _Part(Structure)
_CONTENT: Final = _Part(Content)
_TRANSCRIPT: Final = _Part(Transcript)
_TRANSCRIPTS: Final[Any] = list.__class_getitem__(_TRANSCRIPT.type)
_WORKFLOW: Final = _Part(
    Workflow,
    workflow_id=str,
    url=str,
    retry_count=Annotated[int, Meta(ge=0, le=2**63 - 1)],
    metadata=_METADATA.type,
    structure=_STRUCTURE.type,
    content=_CONTENT.type,
    transcripts=_TRANSCRIPTS,
)
_PARTS: Final = (("metadata", _METADATA), ("structure", _STRUCTURE), ("content", _CONTENT))
_DECODER: Final = msgspec.json.Decoder[dict[str, Any]](_WORKFLOW.type)
_ENCODE: Final = msgspec.json.Encoder().encode


def exported_id(raw: bytes) -> str | None:
    """The id that a line of ``Workflow.to_json`` begins with; None where another line may be meant."""
    key = _KEY.match(raw)
    try:
        return None if key is None else key[1].decode("utf-8")
    except UnicodeDecodeError:
        return None


def read_exported(raw: bytes, limits: Limits) -> Workflow | None:
    """The workflow of a line, its documents as they were written; None where the general reader has to look.

    What the general reader finds in a document (a byte that is no UTF-8, a number beyond PostgreSQL's, too many levels,
    keys that came twice) is found by the document's own ``check`` here.
    """
    if not raw.startswith(_START) or limits.max_depth < DEFAULT_MAX_DEPTH or may_hide(raw):
        return None
    try:
        members = _DECODER.decode(raw)
        # Its documents are written as they stand in it. A key that came twice, or that no field has, is not in members.
        if not has_each_key_once(raw, _ENCODE(members)):
            return None
        for holder, name, document in _documents(members, limits):
            holder[name] = document
        for name, part in _PARTS:
            if members.get(name) is not None:
                members[name] = part.made(members[name])
        if members.get("transcripts") is not None:
            members["transcripts"] = tuple(map(_TRANSCRIPT.made, members["transcripts"]))
        workflow: Workflow = _WORKFLOW.made(members)
        workflow.model_post_init(None)
    except (ValueError, RecursionError, msgspec.DecodeError):
        return None
    return workflow if len(workflow.workflow_id) <= _SHORT_ID else None


def _documents(members: dict[str, Any], limits: Limits) -> list[tuple[dict[str, Any], str, Json]]:
    """The documents of a line and whose they are; they are taken out of it, and null is left in their places.

    Raises:
        ValueError: one is too large.
    """
    found: list[tuple[dict[str, Any], str, Json]] = []
    holders = [(members.get(name), part) for name, part in _PARTS]
    holders += [(transcript, _TRANSCRIPT) for transcript in members.get("transcripts") or ()]
    for holder, part in holders:
        if holder is None:
            continue
        for name in part.documents:
            if name in holder:
                document = bytes(holder[name])
                if len(document) > limits.max_document_bytes:
                    raise ValueError(name)
                found.append((holder, name, Json.unread(document)))
                holder[name] = None
    return found
