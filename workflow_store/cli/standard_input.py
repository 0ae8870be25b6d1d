"""Standard input: what is piped in, and the answer of a person who was asked."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

from workflow_store.cli.outcomes import Declined, UsageError

_PIECE: Final = 256 * 1024


async def pieces() -> AsyncGenerator[bytes, None]:
    """What is piped in, as it comes; a stop is heeded while nothing does."""
    stdin = sys.stdin.fileno()
    while True:
        await _ready(stdin)
        piece = os.read(stdin, _PIECE)
        if not piece:
            return
        yield piece


async def contents(path: Path) -> bytes:
    """The bytes of a file; of standard input, where the path is a hyphen.

    Raises:
        UsageError: it can't be read.
    """
    return b"".join([piece async for piece in pieces()]) if is_standard_input(path) else _contents_of_file(path)


def is_standard_input(path: Path) -> bool:
    """Whether a path is the hyphen that stands for it."""
    return str(path) == "-"


def _contents_of_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from None


def need_a_person_or(yes: bool, what: str) -> None:
    """See to it that somebody can be asked, or need not be.

    Args:
        what: what would be done, for the message.

    Raises:
        UsageError: there is no terminal, and no --yes.
    """
    if not yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"{what}; say --yes where nobody can be asked")


async def confirm(question: str) -> None:
    """Ask on the terminal; a stop is heeded while there is no answer.

    Raises:
        Declined: the answer is not yes.
    """
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    await _ready(sys.stdin.fileno())
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Declined("nothing was done")


async def _ready(stdin: int) -> None:
    # A thread that waits for input can't be stopped, and the process would wait for it at its end.
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_reader(stdin, ready.set)
    except (OSError, NotImplementedError):
        return  # a file is always ready; where nothing can be awaited, what is read waits
    try:
        await ready.wait()
    finally:
        loop.remove_reader(stdin)
