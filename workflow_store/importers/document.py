"""JSON text decoded once, with the text of the members that are stored as they were written."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from workflow_store.errors import DocumentTooLarge, InvalidJson
from workflow_store.importers.limits import Limits
from workflow_store.models.decoding import decode, encode_text
from workflow_store.models.json import Json

_skip: Callable[[str, int], re.Match[str]] = json.decoder.WHITESPACE.match  # type: ignore[attr-defined]
_scan_string: Callable[[str, int, bool], tuple[str, int]] = json.decoder.scanstring  # type: ignore[attr-defined]

# Nearly every key is one of these; others are left to the scanner of strings.
_PLAIN_KEY = re.compile(r'"([^"\\\x00-\x1f]*)"[ \t\n\r]*:[ \t\n\r]*')
_NEXT = re.compile(r"[ \t\n\r]*([,}\]])[ \t\n\r]*")

# Members that are stored with their own bytes, whatever they are.
_COLUMNS: Final = frozenset(("raw_metadata", "workflow_json", "raw_content", "transcript_json"))
# Members that are stored with their own bytes, or lead to some that are.
_KEPT_OBJECTS: Final = frozenset(("record", "workflow", "metadata", "structure", "content"))
# Members that hold many records, or many transcripts.
_KEPT_LISTS: Final = frozenset(("workflows", "data", "transcripts"))
_KEPT_LEVELS: Final = 5
_CONTAINERS: Final = frozenset((dict, list))
# Up to 15 digits a float gives back the digits it was read from.
_PLAIN_FLOAT: Final = 16
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

# One match consumes one escape, so that the second half of an escaped backslash never begins another.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F]|u0000)|.)", re.DOTALL
)


@dataclass(slots=True)
class Document:
    """A decoded JSON value and the place of its text.

    Attributes:
        value: numbers are exact: int, float, or Decimal where a float would lose digits.
        members: the members of an object that are kept: what a column or a record may be made of.
        elements: the elements of a kept list; None for anything else.
        repeated: keys that came twice in one object; the last value is the one that stays.
    """

    value: Any
    source: str
    start: int
    end: int
    members: dict[str, Document] = field(default_factory=dict[str, "Document"])
    elements: list[Document] | None = None
    repeated: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.source[self.start : self.end]

    @property
    def raw(self) -> bytes:
        return self.text.encode("utf-8")

    def json(self, limits: Limits) -> Json:
        """The text as a column's document.

        Raises:
            InvalidJson: it is nested too deep.
            DocumentTooLarge: it is too large.
        """
        raw = self.raw
        if len(raw) > limits.max_document_bytes:
            raise DocumentTooLarge(
                f"a document of {len(raw):,} bytes; at most {limits.max_document_bytes:,} are allowed"
            )
        # The number of opening brackets bounds the depth, and counting them costs next to nothing.
        if raw.count(b"{") + raw.count(b"[") > limits.max_depth and _is_deeper(self.value, limits.max_depth):
            raise InvalidJson(f"nested deeper than {limits.max_depth} levels")
        return Json.trusted(raw)


def _is_deeper(value: Any, limit: int) -> bool:
    """Whether more than ``limit`` arrays and objects lie in one another; level by level, without recursion."""
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(limit):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if type(child) in _CONTAINERS
        ]
        if not level:
            return False
    return True


def read_document(raw: bytes, limits: Limits) -> Document:
    """Decode UTF-8 JSON text, with or without a byte order mark.

    Raises:
        InvalidJson: what it is not, in words for people: not UTF-8, not JSON, or JSON that PostgreSQL can't hold.
    """
    shift = len(codecs.BOM_UTF8) if raw.startswith(codecs.BOM_UTF8) else 0
    try:
        text = raw[shift:].decode("utf-8")
    except UnicodeDecodeError as error:
        hint = " (it looks like UTF-16)" if raw.startswith(_UTF16) else ""
        raise InvalidJson(f"not UTF-8 at byte {error.start + shift:,}{hint}") from None
    if limits.nul == "reject" and b"\\u" in raw and any(match[1] for match in _ESCAPE.finditer(text)):
        # The model's own check knows the path to the character; the wrapper's levels are not the document's.
        Json.trusted(encode_text(text)).check(max_bytes=len(raw), max_depth=limits.max_depth + _KEPT_LEVELS)
    try:
        try:
            return _Scanner(text).document()
        except _LongInteger:
            return _Scanner(text, parse_int=decode).document()
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}" if error.lineno > 1 else f"character {error.pos + 1:,}"
        raise InvalidJson(f"{_MESSAGES.get(error.msg, f'not JSON: {error.msg}')} at {place}") from None
    except RecursionError:
        raise InvalidJson("nested deeper than this process can read") from None


_MESSAGES: Final = {
    "Extra data": "other text after the end of the JSON,",
    "Unterminated string starting at": "not JSON: the text ends inside a string that starts",
    "Invalid control character at": "not JSON: a raw control character inside a string",
}


class _LongInteger(Exception):
    """An integer beyond what int() reads; the slow decoder knows what to do with it."""


class _Scanner:
    """One pass over a text; the C scanner decodes whatever is not kept."""

    def __init__(self, text: str, parse_int: Any = None) -> None:
        self.text = text
        self.repeated: list[str] = []
        self.scan: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder(
            parse_float=_read_float,
            parse_int=parse_int,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object_hook(self.repeated),
        ).scan_once  # type: ignore[attr-defined]

    def document(self) -> Document:
        start = self._skip(0)
        document = self._list(start, 0) if self.text.startswith("[", start) else self._element(start, 0)
        if self._skip(document.end) != len(self.text):
            raise json.JSONDecodeError("Extra data", self.text, self._skip(document.end))
        return document

    def _skip(self, at: int) -> int:
        return _skip(self.text, at).end()

    def _scan(self, at: int) -> tuple[Any, int]:
        try:
            return self.scan(self.text, at)
        except StopIteration as stop:
            raise json.JSONDecodeError("Expecting value", self.text, stop.value) from None
        except json.JSONDecodeError:
            raise
        except ValueError:
            raise _LongInteger from None

    def _kept(self, key: str, at: int, level: int) -> Document | None:
        """The document of a member or element that is kept; None for others."""
        if level >= _KEPT_LEVELS:
            return None
        if key in _COLUMNS:
            return self._leaf(at)
        if key in _KEPT_OBJECTS and self.text.startswith("{", at):
            return self._object(at, level)
        if key in _KEPT_LISTS and self.text.startswith("[", at):
            return self._list(at, level)
        return None

    def _object(self, start: int, level: int) -> Document:
        text, before = self.text, len(self.repeated)
        values: dict[str, Any] = {}
        document = Document(values, text, start, start)
        at = self._skip(start + 1)
        while not text.startswith("}", at):
            key, at = self._key(at)
            if key in values:
                self.repeated.append(key)
                document.members.pop(key, None)
            kept = self._kept(key, at, level + 1)
            if kept is None:
                values[key], at = self._scan(at)
            else:
                document.members[key], values[key], at = kept, kept.value, kept.end
            at = self._next(at, "}")
        document.end = at + 1
        document.repeated = tuple(self.repeated[before:])
        return document

    def _key(self, at: int) -> tuple[str, int]:
        """The key at ``at``, and where its value starts."""
        text = self.text
        plain = _PLAIN_KEY.match(text, at)
        if plain is not None:
            return plain[1], plain.end()
        if not text.startswith('"', at):
            raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, at)
        key, at = _scan_string(text, at + 1, True)
        at = self._skip(at)
        if not text.startswith(":", at):
            raise json.JSONDecodeError("Expecting ':' delimiter", text, at)
        return key, self._skip(at + 1)

    def _list(self, start: int, level: int) -> Document:
        text, before = self.text, len(self.repeated)
        elements: list[Document] = []
        at = self._skip(start + 1)
        while not text.startswith("]", at):
            element = self._element(at, level + 1)
            elements.append(element)
            at = self._next(element.end, "]")
        values = [element.value for element in elements]
        return Document(values, text, start, at + 1, elements=elements, repeated=tuple(self.repeated[before:]))

    def _element(self, at: int, level: int) -> Document:
        kept = self._kept("workflow", at, level)
        if kept is not None:
            return kept
        return self._leaf(at)

    def _leaf(self, at: int) -> Document:
        before = len(self.repeated)
        value, end = self._scan(at)
        return Document(value, self.text, at, end, repeated=tuple(self.repeated[before:]))

    def _next(self, at: int, closing: str) -> int:
        """Where the next member starts, or where the closing bracket stands."""
        text = self.text
        mark = _NEXT.match(text, at)
        if mark is None or (mark[1] != "," and mark[1] != closing):
            raise json.JSONDecodeError("Expecting ',' delimiter", text, self._skip(at))
        if mark[1] == closing:
            return mark.start(1)
        if text.startswith(closing, mark.end()):
            raise json.JSONDecodeError("Illegal trailing comma before the end", text, mark.start(1))
        return mark.end()


def _object_hook(repeated: list[str]) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    # A closure over the list alone: a bound method would tie scanner and text into a cycle for the garbage collector.
    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) != len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    repeated.append(key)
                seen.add(key)
        return values

    return object_of


def _read_float(literal: str) -> Any:
    if len(literal) <= _PLAIN_FLOAT and "e" not in literal and "E" not in literal:
        return float(literal)
    return decode(literal)


def _refuse_constant(literal: str) -> NoReturn:
    raise InvalidJson(f"{literal} is not JSON")
