"""PostgreSQL's own programs: found, and run as children that are told no secret on their command line."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from psycopg.conninfo import make_conninfo

from workflow_store.conninfo import connection_parameters
from workflow_store.embedded.binaries import bin_dir
from workflow_store.errors import BackupError, EmbeddedUnavailable
from workflow_store.schema.child import last_words, outlived
from workflow_store.schema.secret import scrub

_VERSION: Final = re.compile(r"\(PostgreSQL\) (\d+)")
_DEBIAN: Final = Path("/usr/lib/postgresql")


class Programs:
    """A folder with ``pg_dump``, ``pg_restore``, ``psql`` and ``pg_amcheck``.

    Attributes:
        folder: where they are.
        major: their major version.
    """

    def __init__(self, folder: Path, major: int) -> None:
        self.folder = folder
        self.major = major

    @classmethod
    async def find(cls, at_least: int) -> Programs:
        """Those of the embedded server, on the path or of a Debian package; the oldest that understand the server.

        Raises:
            BackupError: there are none of that version or a newer one.
        """
        found: list[Programs] = []
        for folder in _folders():
            major = await _major(folder / "pg_dump")
            if major is not None and major >= at_least:
                found.append(cls(folder, major))
        if not found:
            raise BackupError(
                f"no pg_dump of PostgreSQL {at_least} or newer: install postgresql-client-{at_least}, or "
                "workflow-store[embedded]"
            )
        return min(found, key=lambda programs: programs.major)

    async def run(self, dsn: str, program: str, *arguments: str, feed: AsyncIterable[bytes] | None = None) -> str:
        """Run a program against a server; what it wrote.

        Cancelled, the child is ended and waited for before this returns.

        Args:
            dsn: where it connects to; its password goes by the environment.
            feed: its standard input.

        Raises:
            BackupError: it failed; the message has the last of what it said.
        """
        process = await asyncio.create_subprocess_exec(
            str(self.folder / program),
            *arguments,
            stdin=asyncio.subprocess.PIPE if feed is not None else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(dsn),
            start_new_session=True,
        )
        async with outlived(process):
            fed = asyncio.create_task(_feed(process, feed))
            assert process.stdout is not None
            assert process.stderr is not None
            output, complaint = await asyncio.gather(process.stdout.read(), process.stderr.read())
            await fed
            code = await process.wait()
        if code != 0:
            said = last_words(scrub(complaint.decode(errors="replace"), dsn))
            raise BackupError(f"{program} ended with code {code}: {said}")
        return output.decode(errors="replace")


def database_argument(dsn: str) -> str:
    """What names a database on a command line, without the password."""
    known = connection_parameters(dsn)
    known.pop("password", None)
    return make_conninfo("", **known)


def _environment(dsn: str) -> dict[str, str]:
    password = connection_parameters(dsn).get("password")
    secret = {"PGPASSWORD": password} if password else {}
    return {**os.environ, **secret, "LC_MESSAGES": "C"}


async def _feed(process: asyncio.subprocess.Process, feed: AsyncIterable[bytes] | None) -> None:
    if feed is None or process.stdin is None:
        return
    try:
        async for piece in feed:
            process.stdin.write(piece)
            await process.stdin.drain()
        process.stdin.close()
    except (BrokenPipeError, ConnectionResetError):
        # It has ended, and says why itself.
        return


def _folders() -> Iterator[Path]:
    with suppress(EmbeddedUnavailable):
        yield bin_dir()
    on_path = shutil.which("pg_dump")
    if on_path is not None:
        yield Path(on_path).parent
    if _DEBIAN.is_dir():
        yield from sorted(version / "bin" for version in _DEBIAN.iterdir())


async def _major(program: Path) -> int | None:
    try:
        process = await asyncio.create_subprocess_exec(
            str(program), "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError:
        return None
    output, _ = await process.communicate()
    version = _VERSION.search(output.decode(errors="replace"))
    return int(version[1]) if version else None
