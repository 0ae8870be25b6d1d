"""A file that appears under its name when it is complete."""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from workflow_store.cli.outcomes import UsageError


@contextmanager
def output_file(path: Path) -> Generator[BinaryIO]:
    """A file to write; if something fails, it does not appear, and what was there stays.

    Raises:
        UsageError: it can't be written there.
    """
    # A device or a pipe is written to, never replaced; through a link, what it leads to is replaced.
    special = path.exists() and not path.is_file()
    final = path if special else Path(os.path.realpath(path))
    partial = final if special else final.with_name(f"{final.name[:200]}.{secrets.token_hex(4)}.part")
    try:
        raw = partial.open("wb" if special else "xb")
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}") from None
    try:
        with raw:
            yield raw
            raw.flush()
            if not special:
                os.fsync(raw.fileno())
        if not special:
            partial.replace(final)
    except BaseException:
        if not special:
            with suppress(OSError):
                partial.unlink()
        raise
