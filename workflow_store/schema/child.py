"""The parent's side of the child process that migrates: yoyo blocks, a thread can't be stopped, a process can."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from workflow_store import errors
from workflow_store.schema.secret import scrub

DSN_VARIABLE = "WORKFLOW_STORE_SCHEMA_DSN"
"""How the child learns the DSN: a command line is there for everybody to read."""

_GRACE = 5.0


async def run(dsn: SecretStr, *arguments: str, timeout: float) -> str:
    """Run ``python -m workflow_store.schema`` and return the JSON it wrote.

    Cancelled or late, the child is ended and waited for before this returns; what it had not committed is undone by
    the server.

    Raises:
        CommandTimeout: it was not done within ``timeout`` seconds.
        MigrationFailed: it failed, or died without a word.
        SchemaTooNew, SettingsError, ServerError: as it said.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-X", "utf8", "-m", "workflow_store.schema", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(dsn),
        # Ctrl-C is for the parent, which then ends the child in its own way.
        start_new_session=True,
    )
    async with outlived(process):
        try:
            async with asyncio.timeout(timeout):
                output, complaint = await process.communicate()
        except TimeoutError:
            raise errors.CommandTimeout(f"the schema's migration was not done within {timeout:g} s") from None
    if process.returncode == 0:
        return output.decode()
    raise _failure(output, scrub(complaint.decode(errors="replace"), dsn.get_secret_value()), process.returncode)


def _environment(dsn: SecretStr) -> dict[str, str]:
    # The child imports from where the parent does, and from nowhere else: not from the working folder, with -P.
    paths = [str(Path(path).absolute()) for path in sys.path]
    return {**os.environ, DSN_VARIABLE: dsn.get_secret_value(), "PYTHONPATH": os.pathsep.join(paths)}


@asynccontextmanager
async def outlived(process: asyncio.subprocess.Process) -> AsyncGenerator[None]:
    """However the block is left, the child has ended then."""
    try:
        yield
    finally:
        if process.returncode is None:
            # Shielded: a second cancellation must not leave the child behind.
            await asyncio.shield(asyncio.ensure_future(_end(process)))


def last_words(complaint: str) -> str:
    """The end of what a child said, in one line."""
    return " ".join(complaint.strip().splitlines()[-3:]) or "no word"


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a child process, politely first, and wait for it."""
    try:
        process.terminate()
        async with asyncio.timeout(_GRACE):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
    except ProcessLookupError:
        await process.wait()


def _failure(output: bytes, complaint: str, code: int | None) -> errors.StoreError:
    try:
        told: dict[str, Any] = json.loads(output)["error"]
        kind: type[errors.StoreError] = getattr(errors, told["type"])
    except (ValueError, LookupError):
        last = (complaint.strip().splitlines() or ["no word"])[-1]
        return errors.MigrationFailed(f"the migrator ended with code {code}: {last}")
    if issubclass(kind, errors.ServerError):
        return kind(told["message"], told["sqlstate"])
    return kind(told["message"])
