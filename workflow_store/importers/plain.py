"""JSON text that every decoder reads alike: no key twice, nothing that PostgreSQL can't hold but what it says itself.

The quick readers of common lines stand on it, and what is not plain in this sense is left to the general reader. One
thing is not looked for: a number too small or too finely written for PostgreSQL. The server refuses it, and the record
is set aside then, as the general reader would have done at once.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from workflow_store.models.decoding import is_object

SPACE: Final = b" \t\r\n"
# orjson writes nothing that is nested deeper: what it has written is known to be no deeper.
PLAIN_LEVELS: Final = 254


def read_plain_object(raw: bytes) -> dict[str, Any] | None:
    """The object that a text is; None where it is none, or not plain.

    Integers of more than 64 bits and digits beyond a float's are lost: what needs them may not be read from it.
    """
    # \u0000 can't be stored, and \u003a would be a colon that the count below does not see.
    if b"\\u00" in raw:
        return None
    try:
        value = orjson.loads(raw)
        written = orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    # Each key has its colon, and so has each one inside a string on both sides: fewer colons are keys that came twice.
    if not is_object(value) or written.count(b":") != raw.count(b":"):
        return None
    return value
