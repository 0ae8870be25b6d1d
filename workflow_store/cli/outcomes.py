"""How a command ended: the exit codes, and the errors only a command line knows."""

from __future__ import annotations

from enum import IntEnum

from workflow_store.errors import (
    ComposeError,
    EmbeddedError,
    MisuseError,
    SchemaError,
    ServerError,
    StoreError,
)
from workflow_store.media import MediaUnavailable


class Exit(IntEnum):
    """The exit codes; ``docs/cli.md`` has them for users."""

    DONE = 0
    INCOMPLETE = 1
    USAGE = 2
    UNREACHABLE = 3
    FAULT = 4
    INTERRUPTED = 130
    OUTPUT_CLOSED = 141
    TERMINATED = 143


class UsageError(MisuseError):
    """The command line can't be read, or asks for two things at once."""


class NotFound(StoreError):
    """Nothing is stored under this id."""


class Declined(StoreError):
    """The question was not answered with yes; nothing was done."""


class OutputClosed(Exception):
    """Whoever read the output has gone away."""


def exit_of(error: StoreError) -> Exit:
    """The exit code of an error that the library, or a command, raises on purpose."""
    if isinstance(error, MisuseError):
        return Exit.USAGE
    if isinstance(error, ServerError | SchemaError | EmbeddedError | ComposeError | MediaUnavailable):
        return Exit.UNREACHABLE
    return Exit.INCOMPLETE
