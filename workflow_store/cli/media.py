"""``workflow-store media``: the files of a workflow."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from cyclopts import App, Parameter
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from workflow_store.cli.outcomes import Exit, UsageError
from workflow_store.cli.output import COMMON, Common, Flag, closed_told
from workflow_store.cli.output_file import output_file
from workflow_store.cli.server import command_settings
from workflow_store.cli.standard_input import confirm, is_standard_input, need_a_person_or, pieces
from workflow_store.cli.wording import count, identifier, line, moment, plural, size
from workflow_store.media import GarbageReport, MediaFile, MediaStream
from workflow_store.store import WorkflowStore

media: App = App(name="media", help="Store, read, list and delete the files of workflows.")

Id = Annotated[str, Parameter(name="ID")]
Name = Annotated[str, Parameter(name="NAME")]


@media.command
async def put(
    workflow_id: Id,
    file: Annotated[Path, Parameter(name="FILE", allow_leading_hyphen=True)],
    /,
    *,
    name: str | None = None,
    content_type: str | None = None,
    common: Common = COMMON,
) -> None:
    """Store a file and link it to a workflow; a name that is taken is linked anew.

    Args:
        workflow_id: The workflow's id. One that begins with a hyphen goes behind `--`.
        file: The file to store; - is standard input, which needs --name.
        name: The name within the workflow; the file's own where not given.
        content_type: Such as image/png; guessed from the name where not given.
    """
    output = common.output
    piped = is_standard_input(file)
    if name is None and piped:
        raise UsageError("standard input has no name; give one with --name")
    source: Path | AsyncIterable[bytes] = pieces() if piped else _readable(file)
    async with WorkflowStore.open(command_settings()) as store:
        stored = await store.media.put(workflow_id, file.name if name is None else name, source, content_type)
    if output.json:
        output.document(_document(stored))
    else:
        output.show(
            Text(f"stored {identifier(stored.name)}: {size(stored.size)}, {line(stored.content_type)}"), whole=True
        )


@media.command
async def get(
    workflow_id: Id,
    name: Name,
    /,
    *,
    output: Annotated[Path, Parameter(name=("--output", "-o"), allow_leading_hyphen=True)] = Path("-"),
    common: Common = COMMON,
) -> None:
    """Read a file, its checksum verified. Where there is none, the exit code is 1.

    A file is made beside its final name and takes that name when it is complete and verified. What goes to standard
    output goes there before the checksum is known; if it is another one, the exit code is 1.

    Args:
        workflow_id: The workflow's id. One that begins with a hyphen goes behind `--`.
        name: The file's name, as `media list` shows it.
        output: The file to write; - is standard output. With --json, which tells what was written, a file is needed.
    """
    screen = common.output
    to_stdout = str(output) == "-"
    if to_stdout and screen.json:
        raise UsageError("--json tells what was written, on standard output; name a file with --output")
    if to_stdout and sys.stdout.isatty():
        raise UsageError("a terminal can't show a file; name one with --output, or pipe it on")
    async with WorkflowStore.open(command_settings()) as store, store.media.open(workflow_id, name) as stream:
        with nullcontext(sys.stdout.buffer) if to_stdout else output_file(output) as target:
            await _copy(stream, target)
    if screen.json:
        screen.document({**_document(stream.file), "output": str(output)})
    elif not to_stdout:
        screen.note(f"{size(stream.file.size)} in {output}")


@media.command(name="list")
async def list_(
    workflow_id: Id,
    /,
    *,
    after: str | None = None,
    limit: int = 1_000,
    common: Common = COMMON,
) -> None:
    """List a workflow's files, by name; none where there is no such workflow.

    Args:
        workflow_id: The workflow's id. One that begins with a hyphen goes behind `--`.
        after: The last name of the part before, for a workflow with more files than --limit.
        limit: Files at most, 1 to 1,000.
    """
    output = common.output
    async with WorkflowStore.open(command_settings()) as store:
        files = await store.media.list(workflow_id, after=after, limit=limit)
    if output.json:
        output.document({"items": [_document(file) for file in files]})
        return
    if files:
        output.show(*_lines(files), whole=True)
    else:
        output.show("no files")


@media.command
async def delete(
    workflow_id: Id,
    names: Annotated[list[str], Parameter(name="NAME...")],
    /,
    *,
    yes: Flag = False,
    common: Common = COMMON,
) -> int:
    """Delete links of a workflow to files; what nothing else links to goes with the next `collect-garbage`.

    Asks first. Without a terminal to ask on, --yes is needed. Where one of them was not there, the exit code is 1; the
    others are deleted. With `--json` the names are in `deleted` and `missing`.

    Args:
        workflow_id: The workflow's id. One that begins with a hyphen goes behind `--`.
        names: The files' names, as `media list` shows them.
        yes: Do not ask.
    """
    output = common.output
    need_a_person_or(yes, "what is deleted is gone")
    wanted = list(dict.fromkeys(names))
    async with WorkflowStore.open(command_settings()) as store:
        if not yes:
            await confirm(f"Delete {plural(len(wanted), 'file')} of workflow {identifier(workflow_id)}?")
        deleted = [name for name in wanted if await store.media.delete(workflow_id, name)]
    missing = [name for name in wanted if name not in deleted]
    if output.json:
        output.document({"deleted": deleted, "missing": missing})
    else:
        output.show(*(Text(f"deleted {identifier(name)}") for name in deleted), whole=True)
        for name in missing:
            output.note(f"workflow-store: there is no file {identifier(name)}")
    return Exit.INCOMPLETE if missing else Exit.DONE


@media.command(name="collect-garbage")
async def collect_garbage(*, grace: float | None = None, alone: Flag = False, common: Common = COMMON) -> None:
    """Delete files that no workflow links to; safe beside any number of puts.

    Where other databases have put files into the same folder or bucket, nothing is deleted and the exit code is 1.

    Args:
        grace: Seconds that a file is left alone after it was written; WORKFLOW_STORE_MEDIA_GRACE where not given.
        alone: Say that the other databases which have put files there do not need them any more.
    """
    output = common.output
    async with WorkflowStore.open(command_settings()) as store:
        report = await store.media.collect_garbage(grace, alone=alone)
    if output.json:
        output.document(asdict(report))
    else:
        output.show(_report_view(report))


def _readable(file: Path) -> Path:
    try:
        with file.open("rb"):
            return file
    except OSError as error:
        raise UsageError(f"{file} can't be read: {error.strerror}") from None


async def _copy(stream: MediaStream, target: BinaryIO) -> None:
    async for piece in stream:
        with closed_told():
            target.write(piece)


def _lines(files: Sequence[MediaFile]) -> Iterator[Text]:
    # Names whole, as they are needed: a rich table would shorten them.
    names = [identifier(file.name) for file in files]
    columns = max(map(cell_len, names))
    for name, file in zip(names, files, strict=True):
        facts = (f"{size(file.size):>8}", moment(file.created_at), file.sha256[:12], line(file.content_type))
        yield Text.assemble((name, "cyan"), " " * (columns - cell_len(name)), "  ", "  ".join(facts))


def _document(file: MediaFile) -> dict[str, Any]:
    return {**asdict(file), "created_at": file.created_at.isoformat()}


def _report_view(report: GarbageReport) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    for name, number in (
        ("looked at", report.examined),
        ("deleted", report.collected),
        ("too young", report.young),
        ("in use just now", report.busy),
        ("unfinished uploads deleted", report.partial),
        ("put back in place", report.put_back),
    ):
        table.add_row(name, count(number))
    table.add_row("freed", size(report.bytes))
    return table
