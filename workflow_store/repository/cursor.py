"""Page cursors: opaque, and bound to the question whose next page they open."""

from __future__ import annotations

import base64
import binascii
import json
import re
from hashlib import blake2b
from typing import Any

from workflow_store.errors import InvalidCursor

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def binding(*question: Any) -> str:
    """A short hash of everything that makes a question the same."""
    spelt = json.dumps(question, sort_keys=True, default=str)
    return blake2b(spelt.encode("utf-8", "surrogatepass"), digest_size=9).hexdigest()


def encode(parts: list[Any]) -> str:
    """A cursor out of a binding and a place."""
    raw = json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode(cursor: str, bound: str) -> tuple[Any, str]:
    """The key and the id a cursor stands behind.

    Raises:
        InvalidCursor: it is damaged, or of another question.
    """
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found, key, workflow_id = json.loads(raw)
    except (AttributeError, ValueError, TypeError, RecursionError, binascii.Error):
        raise InvalidCursor("the cursor is damaged") from None
    if found != bound:
        raise InvalidCursor("the cursor belongs to another order or other filters; start from the first page")
    if not isinstance(workflow_id, str) or _UNSTORABLE.search(workflow_id):
        raise InvalidCursor("the cursor is damaged")
    return key, workflow_id


def decode_ranked(cursor: str, bound: str) -> tuple[float, str]:
    """The rank and the id a search's cursor stands behind; raises as ``decode`` does."""
    rank, workflow_id = decode(cursor, bound)
    if not isinstance(rank, float):
        raise InvalidCursor("the cursor is damaged")
    return rank, workflow_id
