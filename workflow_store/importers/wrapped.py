"""Lines of ``{"source", "workflow"}``, the form of most collections, read in a fraction of the general reader's time.

A line is read here only where that gives what the general reader gives; every other one is left to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from workflow_store.importers.limits import Limits
from workflow_store.models.decoding import is_array, is_object
from workflow_store.models.json import Json
from workflow_store.models.plain import PLAIN_LEVELS, SPACE, read_plain_object

_START: Final = re.compile(
    rb"""[ \t\r\n]* \{
    [ \t\r\n]* "source" [ \t\r\n]* : [ \t\r\n]* "([^"\\\x00-\x1f]*)" [ \t\r\n]* ,
    [ \t\r\n]* "workflow" [ \t\r\n]* : [ \t\r\n]*""",
    re.VERBOSE,
)
# What the reader takes from a workflow besides its nodes; where one of these is a number, its digits matter.
_READ_AS_TEXT: Final = ("name", "description", "createdAt", "updatedAt", "id")


@dataclass(frozen=True, slots=True)
class WrappedWorkflow:
    """A workflow beside its source; ``raw`` is its own text."""

    source: str
    value: dict[str, Any]
    raw: bytes

    # What came twice is left to the general reader, which names it.
    repeated: tuple[str, ...] = ()

    def json(self, limits: Limits) -> Json:
        """The text as a column's document; the limits were held against it before."""
        return Json.proven(self.raw, PLAIN_LEVELS)


def read_wrapped(raw: bytes, limits: Limits) -> WrappedWorkflow | None:
    """The workflow of a line; None where the general reader has to look."""
    start = _START.match(raw)
    end = raw.rstrip(SPACE)
    if start is None or not end.endswith(b"}") or limits.max_depth < PLAIN_LEVELS:
        return None
    body = end[start.end() : -1].rstrip(SPACE)
    if len(body) > limits.max_document_bytes:
        return None
    try:
        source = start[1].decode("utf-8")
    except UnicodeDecodeError:
        return None
    value = read_plain_object(body)
    return None if value is None or not _reads_alike(value) else WrappedWorkflow(source, value, body)


def _reads_alike(value: Mapping[str, Any]) -> bool:
    """Whether everything that is read from the workflow is the same whichever reader decodes it."""
    for key in _READ_AS_TEXT:
        member = value.get(key)
        if member is not None and type(member) is not str:
            return False
    meta, tags = value.get("meta"), value.get("tags")
    if meta is not None and not (is_object(meta) and isinstance(meta.get("templateId"), str | None)):
        return False
    return tags is None or (is_array(tags) and all(isinstance(_named(tag), str) for tag in tags))


def _named(tag: object) -> object:
    return tag.get("name") if is_object(tag) else tag
