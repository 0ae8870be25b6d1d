"""Where answers go: one JSON document or something for people on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from os import environ
from typing import IO, Annotated, Any, Final, TypeAlias

from cyclopts import Parameter
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from workflow_store.cli.outcomes import OutputClosed
from workflow_store.cli.wording import escaped_json, paragraph

# What is not read on a terminal is read by grep and awk: nothing is cut or wrapped there.
_WIDE: Final = 4_000

Flag: TypeAlias = Annotated[bool, Parameter(negative=(), show_default=False)]
"""An option without a value, off by default."""

Advance: TypeAlias = Callable[[int, str], None]
"""Takes how many are done, and a remark."""


@Parameter(name="*")
@dataclass(frozen=True)
class Common:
    """Options of every verb."""

    json: Annotated[Flag, Parameter(help="Print one JSON document on standard output, and nothing else there.")] = False
    debug: Annotated[
        Flag, Parameter(env_var="WORKFLOW_STORE_DEBUG", help="Show the traceback of an error on standard error.")
    ] = False

    @property
    def output(self) -> Output:
        return Output(json=self.json, debug=self.debug)


COMMON: Final = Common()


class _PeopleConsole(Console):
    def on_broken_pipe(self) -> None:
        raise OutputClosed


class Output:
    """What one command prints.

    Attributes:
        json: the answer is one JSON document.
        debug: errors come with their traceback.
    """

    def __init__(self, *, json: bool = False, debug: bool = False) -> None:
        self.json = json
        self.debug = debug

    def document(self, value: Any) -> None:
        """Print a Python value as JSON, as the one answer."""
        text = json.dumps(value, ensure_ascii=False, default=str)
        # Half a character can't be encoded; spelt as an escape it is valid JSON.
        self.raw(text.encode("utf-8", "backslashreplace"))

    def raw(self, document: bytes) -> None:
        """Print one line of JSON: its very bytes, but for what a terminal would obey."""
        with closed_told():
            if sys.stdout.isatty():
                document = escaped_json(document.decode("utf-8")).encode("utf-8")
            sys.stdout.flush()
            sys.stdout.buffer.write(document + b"\n")
            sys.stdout.buffer.flush()

    def show(self, *renderables: RenderableType, whole: bool = False) -> None:
        """Print for people: tables and texts; a ``str`` is taken literally.

        Args:
            whole: lines are neither cut nor wrapped, whatever the width: what people copy from them stays whole.
        """
        console = _console(sys.stdout)
        with console.capture() as captured:
            for renderable in renderables:
                console.print(renderable, soft_wrap=whole)
        text = captured.get()
        if not console.is_terminal:
            # Tables and indented texts are padded to the width, which is for nobody to see there.
            text = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
        with closed_told():
            sys.stdout.write(text)
            sys.stdout.flush()

    @property
    def width(self) -> int:
        """Columns that people have on standard output."""
        return _console(sys.stdout).width

    def note(self, text: str) -> None:
        """Say something on standard error."""
        _console(sys.stderr).print(Text(paragraph(text)), soft_wrap=True)

    def error(self, error: BaseException, message: str | None = None, **known: Any) -> None:
        """Tell an error: as the JSON document, or as a line on standard error.

        Args:
            message: what to say instead of the error's own words.
            known: further members of the document, such as what was stored before.
        """
        if self.debug:
            traceback.print_exception(error)
        message = message or str(error) or type(error).__name__
        if self.json:
            self.document({"error": {"type": type(error).__name__, "message": message}, **known})
        else:
            self.note(f"workflow-store: error: {message}")

    @contextmanager
    def progress(self, label: str, total: int | None = None, *, shown: bool = True) -> Generator[Advance]:
        """A bar on standard error, where that is a terminal and people read; else nothing.

        Args:
            total: how many there are to do, where that is known.
            shown: False where something else is being written to the terminal.
        """
        if not shown or self.json or not sys.stderr.isatty():
            yield lambda _done, _remark: None
            return
        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[done]}", markup=False),
            TimeElapsedColumn(),
            console=_console(sys.stderr),
            transient=True,
        )
        task = bar.add_task(label, total=total, done="")

        def advance(done: int, remark: str) -> None:
            of = f" of {total:,}" if total is not None else ""
            bar.update(task, completed=done, done=f"{done:,}{of}{f', {remark}' if remark else ''}")

        with bar:
            yield advance


def _console(stream: IO[str]) -> Console:
    wide = None if stream.isatty() or "COLUMNS" in environ else _WIDE
    return _PeopleConsole(file=stream, width=wide, markup=False, highlight=False, emoji=False)


@contextmanager
def closed_told() -> Generator[None]:
    """Turns a broken pipe into ``OutputClosed``; the server's connections can break, too, and are another matter."""
    try:
        yield
    except BrokenPipeError:
        raise OutputClosed from None
