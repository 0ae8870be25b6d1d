"""The command line as tests call it: in this process, as a child, or as a child in a terminal."""

from __future__ import annotations

import asyncio
import fcntl
import io
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

from workflow_store import Settings, Workflow, WorkflowStore
from workflow_store.cli import main

T = TypeVar("T")
PROGRAM = (sys.executable, "-m", "workflow_store")
ROOT = Path(__file__).resolve().parent.parent
_PATIENCE = 120.0
# What every store says of a test server that is fast instead of durable.
_NOT_DURABLE = re.compile(r"workflow-store: WARNING: [^\n]* may lose commits it has acknowledged: [^\n]*\n")
# What would change the width or the colours of an output.
_LOOKS = ("COLUMNS", "NO_COLOR", "FORCE_COLOR")
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as the one JSON document it has to be."""
        return json.loads(self.out)


def run(*arguments: str) -> Ran:
    """Run a command in this process, on a thread without an event loop."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with redirect_stdout(out), redirect_stderr(err), patch.dict(os.environ), ThreadPoolExecutor(1) as thread:
        for name in _LOOKS:
            os.environ.pop(name, None)
        code = thread.submit(main, arguments).result()
    return Ran(code, *(stream.buffer.getvalue().decode("utf-8") for stream in (out, err)))


def run_child(*arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> Ran:
    """Run a command as a child without a terminal."""
    done = subprocess.run(
        [*PROGRAM, *arguments],
        input=stdin,
        capture_output=True,
        cwd=ROOT,
        env=child_environment(environment),
        timeout=_PATIENCE,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode("utf-8"), said(done.stderr))


def said(stderr: bytes) -> str:
    """What a child said on standard error, but for the warning about a test server."""
    return _NOT_DURABLE.sub("", stderr.decode("utf-8"))


def child_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment for a child, without what would change the width or the colours of its output."""
    kept = {name: value for name, value in os.environ.items() if name not in _LOOKS}
    return {**kept, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **(more or {})}


def run_in_terminal(
    *arguments: str, columns: int = 80, answer: bytes = b"", stop_when_asked: signal.Signals | None = None
) -> tuple[int, str]:
    """Run a command in a terminal; its exit code and what was shown, escape sequences included.

    Args:
        columns: how wide the terminal is.
        answer: what is typed, from the start.
        stop_when_asked: sent instead, once the command asks a question.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    child = subprocess.Popen(
        [*PROGRAM, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env=child_environment(),
        start_new_session=True,
    )
    os.close(theirs)
    shown = bytearray()

    def read() -> None:
        asked = False
        try:
            while chunk := os.read(ours, 65_536):
                shown.extend(chunk)
                if stop_when_asked is not None and not asked and b"[y/N]" in shown:
                    asked = True
                    child.send_signal(stop_when_asked)
        except OSError:
            return  # what Linux answers when the last of the other side is closed

    reader = threading.Thread(target=read)
    reader.start()
    if answer:
        os.write(ours, answer)
    code = child.wait(_PATIENCE)
    reader.join(_PATIENCE)
    os.close(ours)
    return code, _NOT_DURABLE.sub("", shown.decode("utf-8").replace("\r\n", "\n"))


def seen(shown: str) -> list[str]:
    """The lines of a terminal's output without colours, as a person sees them."""
    return _ESCAPES.sub("", shown).replace("\r", "\n").split("\n")


def store_workflows(dsn: str, workflows: Iterable[Workflow]) -> None:
    """Store workflows through the library."""

    async def work(store: WorkflowStore) -> None:
        report = await store.ingest(workflows)
        assert not report.rejections, report.rejections

    with_store(dsn, work)


def stored_workflow(dsn: str, workflow_id: str) -> Workflow | None:
    """What the library answers for an id."""
    return with_store(dsn, lambda store: store.get_workflow(workflow_id))


def with_store(dsn: str, work: Callable[[WorkflowStore], Coroutine[Any, Any, T]]) -> T:
    """Run something on an open store."""

    async def opened() -> T:
        async with WorkflowStore.open(Settings.load(dsn=dsn, pool_min_size=1)) as store:
            return await work(store)

    return in_a_loop(opened)


def in_a_loop(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run something in a loop of its own, on a thread of its own, since a test may have a loop already."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()
