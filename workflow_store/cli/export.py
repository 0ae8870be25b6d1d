"""``workflow-store export``: every workflow as a line of JSON."""

from __future__ import annotations

import gzip
import sys
import time
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO, Final, cast

from cyclopts import Parameter

from workflow_store.cli.outcomes import UsageError
from workflow_store.cli.output import COMMON, Common, Output, closed_told
from workflow_store.cli.output_file import output_file
from workflow_store.cli.server import command_settings
from workflow_store.cli.wording import escaped_json, plural, size
from workflow_store.repository import Repository
from workflow_store.store import WorkflowStore

_PAGE: Final = 500
_EVERY: Final = 50
_LEVEL: Final = 6


async def export(
    *,
    output: Annotated[Path, Parameter(name=("--output", "-o"), allow_leading_hyphen=True)] = Path("-"),
    common: Common = COMMON,
) -> None:
    """Write all workflows with all their parts, one line of JSON each; `ingest` reads them back.

    What is written is the store at one moment, whoever writes to it meanwhile. A file is made beside its final name and
    takes that name when it is complete.

    Args:
        output: The file to write, compressed if its name ends in .gz; - is standard output. With --json, which reports
            what was written, a file is needed.
    """
    screen = common.output
    to_stdout = str(output) == "-"
    if to_stdout and common.json:
        raise UsageError("--json reports what was written, on standard output; name a file with --output")
    async with WorkflowStore.open(command_settings()) as store:
        began = time.monotonic()
        total = await store.count_workflows()
        written = bytes_ = 0
        shown = not (to_stdout and sys.stdout.isatty())
        with (
            _stdout() if to_stdout else _file(output) as stream,
            screen.progress("exporting", total, shown=shown) as advance,
        ):
            async with store.transaction(isolation="repeatable_read", readonly=True) as snapshot:
                async for document in _documents(snapshot):
                    stream.write(document + b"\n")
                    written += 1
                    bytes_ += len(document) + 1
                    if written % _EVERY == 0:
                        advance(written, size(bytes_))
        seconds = time.monotonic() - began
    _report(screen, written, bytes_, seconds, None if to_stdout else output)


def _report(screen: Output, written: int, bytes_: int, seconds: float, target: Path | None) -> None:
    if screen.json:
        screen.document({"workflows": written, "bytes": bytes_, "seconds": round(seconds, 3), "output": str(target)})
        return
    where = f" in {target}" if target else ""
    told = f"{plural(written, 'workflow')}, {size(bytes_)} of JSON{where}, {seconds:.1f} s"
    screen.note(told)


async def _documents(snapshot: Repository) -> AsyncIterator[bytes]:
    """All workflows as JSON, the last scraped first; a page of ids and one workflow are all that is held."""
    cursor: str | None = None
    while True:
        page = await snapshot.list_workflows(order_by="extracted_at", limit=_PAGE, after=cursor, include=())
        for listed in page.items:
            workflow = await snapshot.get_workflow(listed.workflow_id)
            if workflow is not None:
                yield workflow.to_json().raw
        cursor = page.next
        if cursor is None:
            return


@contextmanager
def _stdout() -> Generator[BinaryIO]:
    with closed_told():
        sys.stdout.flush()
        yield cast(BinaryIO, _Terminal()) if sys.stdout.isatty() else sys.stdout.buffer
        sys.stdout.buffer.flush()


class _Terminal:
    """Standard output where it is a terminal: what that would obey is spelt as escapes."""

    def write(self, line: bytes) -> None:
        sys.stdout.buffer.write(escaped_json(line.decode("utf-8")).encode("utf-8"))


@contextmanager
def _file(path: Path) -> Generator[BinaryIO]:
    """A file that appears when it is complete, compressed if its name says so; raises as ``output_file`` does."""
    with output_file(path) as raw:
        if path.name.endswith(".gz"):
            with gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=raw, mtime=0) as packed:
                yield cast(BinaryIO, packed)
        else:
            yield raw
