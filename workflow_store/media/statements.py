"""The statements on media links, and the rows they return."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from workflow_store.media.files import MediaFile
from workflow_store.queries import Query


class LinkRow(NamedTuple):
    """One link; ``sha256`` is the digest's 32 bytes."""

    name: str
    sha256: bytes
    size: int
    content_type: str
    created_at: datetime

    def to_file(self) -> MediaFile:
        return MediaFile(self.name, self.sha256.hex(), self.size, self.content_type, self.created_at)


OWNER = Query[str]("media/owner")
LOCK_FILE = Query[bool, bytes]("media/lock")
TRY_LOCK_FILES = Query[bytes, Sequence[bytes]]("media/try_lock")
LINKED_FILES = Query[bytes, Sequence[bytes]]("media/linked")
LINK_FILE = Query[LinkRow, str, str, bytes, int, str]("media/link")
GET_LINK = Query[LinkRow, str, str]("media/get")
LIST_LINKS = Query[LinkRow, str, str, int]("media/list")
DELETE_LINK = Query[str, str, str]("media/delete")
