"""``main``: from the arguments to an exit code, with every error told in a line."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import signal
import sys
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from io import TextIOWrapper
from typing import Any

from cyclopts import CycloptsError

from workflow_store.cli.application import app
from workflow_store.cli.outcomes import Exit, OutputClosed, UsageError, exit_of
from workflow_store.cli.output import Output, closed_told
from workflow_store.errors import StoreError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: those behind the program's name; ``sys.argv`` where not given.

    Returns:
        The exit code, see ``Exit``.
    """
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that can't show a character must not end the command.
            stream.reconfigure(errors="replace")
    # Does nothing where a program that calls this has logging of its own.
    logging.basicConfig(format="workflow-store: {levelname}: {message}", style="{", level=logging.WARNING)
    options = tokens[: tokens.index("--")] if "--" in tokens else tokens
    debug = "--debug" in options or os.environ.get("WORKFLOW_STORE_DEBUG", "").lower() in ("1", "true", "yes")
    output = Output(json="--json" in options, debug=debug)
    try:
        code = _told(tokens, output)
        with closed_told():
            sys.stdout.flush()
    except OutputClosed:
        _let_go_of_stdout()
        return Exit.OUTPUT_CLOSED
    return code


def _told(tokens: list[str], output: Output) -> int:
    """Run a command; whatever it raises is told."""
    try:
        return _run(tokens)
    except OutputClosed:
        raise
    except KeyboardInterrupt:
        output.note("workflow-store: interrupted")
        return Exit.INTERRUPTED
    except asyncio.CancelledError:
        output.note("workflow-store: terminated")
        return Exit.TERMINATED
    except StoreError as error:
        output.error(error)
        return exit_of(error)
    except Exception as error:
        output.error(error, _unforeseen(error))
        return Exit.FAULT


def _unforeseen(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}{f': {lines[0]}' if lines else ''} (--debug shows more)"


def _run(tokens: list[str]) -> int:
    try:
        command, bound, _ = app.parse_args(tokens, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        chain, _, _ = app.parse_commands(tokens)
        verb = " ".join(("workflow-store", *chain))
        raise UsageError(f"{error}\nsee: {verb} --help") from None
    answer: Any = command(*bound.args, **bound.kwargs)
    if inspect.iscoroutine(answer):
        answer = asyncio.run(_stoppable(answer))
    return answer if isinstance(answer, int) else Exit.DONE


async def _stoppable(work: Coroutine[Any, Any, Any]) -> Any:
    """Await a command; SIGTERM cancels it, as Ctrl-C does, so that it puts things in order before it ends."""
    task = asyncio.current_task()
    assert task is not None
    # Not everywhere, and in the main thread only.
    with suppress(NotImplementedError, RuntimeError, ValueError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


def _let_go_of_stdout() -> None:
    """Let the interpreter's own flush at exit go nowhere, instead of failing once more."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
