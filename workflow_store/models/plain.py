"""JSON text that every decoder reads alike: no key twice, nothing that PostgreSQL can't hold but what it says itself.

The quick readers of common lines stand on it; what is not plain in this sense is read by a decoder that keeps every
digit. One thing is not looked for: a number too small or too finely written for PostgreSQL. The server refuses it, and
the record is set aside then.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import orjson

from workflow_store.models.decoding import is_object

SPACE: Final = b" \t\r\n"
# orjson writes nothing that is nested deeper: what it has written is known to be no deeper.
PLAIN_LEVELS: Final = 254
# \u0000 can't be stored, and \u003a would be a colon that nobody counts. To search takes half the time of "in".
_HIDDEN: Final = re.compile(rb"\\u00")


def may_hide(raw: bytes) -> bool:
    """Whether a text may have characters that are spelt as escapes and have to be looked at."""
    return _HIDDEN.search(raw) is not None


def read_and_written(raw: bytes) -> tuple[Any, bytes]:
    """The value of a JSON text, and the text as it is written after it was read: with each key once.

    Raises:
        ValueError: it is not JSON, or nested too deep.
    """
    value = orjson.loads(raw)
    try:
        return value, orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise ValueError(str(error)) from None


def read_plain_object(raw: bytes) -> dict[str, Any] | None:
    """The object that a text is; None where it is none, or not plain.

    Integers of more than 64 bits and digits beyond a float's are lost: what needs them may not be read from it.
    """
    if may_hide(raw):
        return None
    try:
        value, written = read_and_written(raw)
    except ValueError:
        return None
    return value if is_object(value) and has_each_key_once(raw, written) else None


def is_plain(raw: bytes) -> bool:
    """Whether a text in which nothing is hidden is plain."""
    try:
        return has_each_key_once(raw, read_and_written(raw)[1])
    except ValueError:
        return False


def has_each_key_once(raw: bytes, written: bytes) -> bool:
    """Whether no key came twice in a text in which nothing is hidden.

    Args:
        written: what its value is written as. Mostly that is what was read. Else each key has its colon, and so has
            each one inside a string on both sides: fewer colons are keys that came twice.
    """
    return written == raw or written.count(b":") == raw.count(b":")


def repeated_keys(raw: bytes, value: Any) -> int:
    """How many keys of a JSON text came twice in one object, and so are not in its decoded ``value``."""
    try:
        if not may_hide(raw) and has_each_key_once(raw, orjson.dumps(value)):
            return 0
    except TypeError:
        pass  # a number of more digits than this encoder knows, or more levels
    counted = 0

    def count(pairs: list[tuple[str, Any]]) -> None:
        nonlocal counted
        counted += len(pairs) - len(dict(pairs))

    json.JSONDecoder(object_pairs_hook=count, parse_int=str, parse_float=str).decode(raw.decode("utf-8"))
    return counted
