"""The write-ahead log of an embedded server, kept file by file, so that its data can be had back as of any moment."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import Final

from workflow_store.embedded.account import server_account
from workflow_store.errors import EmbeddedUnavailable
from workflow_store.settings import Settings

WAL: Final = "wal"
# A file has its name when it is whole and on the disk; one that is there already has been archived before a crash.
_COPY: Final = 'test -f {to} || {{ cp "%p" {to}.new && sync {to}.new && mv {to}.new {to}; }}'
# A quiet server hands its last changes over after so long (seconds).
_AT_THE_LATEST: Final = "60"


def archive_options(settings: Settings) -> Mapping[str, str]:
    """What an embedded server is started with to archive its log below the folder of the backups; nothing where the
    settings do not ask for it.

    Raises:
        EmbeddedUnavailable: the folder can't be made, or not be written by the server's user.
    """
    if not settings.wal_archive:
        return {}
    folder = settings.backup_folder / WAL
    account = server_account()
    try:
        folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        account.own(folder)
    except OSError as error:
        raise EmbeddedUnavailable(f"{folder} can't be made: {error.strerror}") from error
    closed = account.closed_folder(folder)
    if closed is not None:
        raise EmbeddedUnavailable(f"the server runs as user {account.name!r}, who can't enter {closed}")
    target = shlex.quote(os.fspath(folder)).replace("%", "%%") + "/%f"
    return {
        "archive_mode": "on",
        "archive_command": _COPY.format(to=target),
        "archive_timeout": _AT_THE_LATEST,
        "summarize_wal": "on",
        "wal_level": "replica",
    }
