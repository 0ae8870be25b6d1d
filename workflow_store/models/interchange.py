"""A workflow as one JSON document, and back: the form of ``export`` and of ``get --json``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, cast

from pydantic import ValidationError

from workflow_store.errors import InvalidJson, InvalidRecord
from workflow_store.models.decoding import check_depth, decode_members, encode_text, is_array, is_object, item_texts
from workflow_store.models.json import Json
from workflow_store.models.workflow import Workflow

_DOCUMENT_OF: Final = {"metadata": "raw_metadata", "structure": "workflow_json", "content": "raw_content"}


def workflow_to_json(workflow: Workflow) -> Json:
    """See ``Workflow.to_json``."""
    return Json(_plain(workflow.model_dump(exclude_none=True)))


def workflow_from_json(text: bytes | str) -> Workflow:
    """See ``Workflow.from_json``."""
    return validated(members_from_json(text))


def members_from_json(text: bytes | str) -> dict[str, Any]:
    """The members of a workflow, or of a part of one, as ``to_json`` writes them; JSON columns keep their bytes.

    Raises:
        InvalidJson: not JSON, not an object, or JSON that PostgreSQL can't hold.
    """
    raw = text if isinstance(text, bytes) else encode_text(text)
    check_depth(raw, _MAX_DEPTH)
    try:
        members, texts = decode_members(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InvalidJson(f"not UTF-8 at byte {error.start:,}") from None
    for part, column in _DOCUMENT_OF.items():
        if part in members:
            _keep_text(members[part], column, texts[part])
    transcripts = members.get("transcripts")
    if is_array(transcripts):
        for transcript, written in zip(transcripts, item_texts(texts["transcripts"]), strict=True):
            _keep_text(transcript, "transcript_json", written)
    return members


def _keep_text(part: Any, column: str, written: str) -> None:
    """Put the document of a decoded part back to the text it was written as."""
    if is_object(part) and column in part:
        _, texts = decode_members(written)
        part[column] = Json.trusted(texts[column].encode("utf-8"))


def validated(members: Mapping[str, Any]) -> Workflow:
    """Build the model, saying a refusal in the library's own terms.

    Raises:
        InvalidRecord: a field does not fit; the first one is named, with the number of others.
    """
    try:
        return Workflow.model_validate(members)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    raise InvalidRecord(".".join(str(step) for step in first["loc"]), f"{first['msg']}{more}")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if is_object(value):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in cast("Iterable[Any]", value)]
    return value


# The document nests the workflow's own JSON two levels deep; the store checks the columns themselves.
_MAX_DEPTH: Final = 8_000
