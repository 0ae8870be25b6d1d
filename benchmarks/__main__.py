"""``python -m benchmarks [SUITE …]``: measure, show, and write down when asked."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import ingest, load, memory, reads, tuning
from benchmarks.arguments import Options, parse
from benchmarks.machine import describe
from benchmarks.result import Result, short
from benchmarks.server import Server, migrated_database, running_server

Suite = Callable[[str, Options, Progress], Awaitable[Result]]
_SUITES: Final[Mapping[str, Suite]] = {
    "ingest": ingest.measure,
    "reads": reads.measure,
    "memory": memory.measure,
    "load": load.measure,
    "settings": tuning.measure,
}
_WIDE: Final = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suites that are named; the exit code."""
    options = parse(arguments)
    with running_server(options.data_dir) as server:
        asyncio.run(_run(server, options))
    return 0


async def _run(server: Server, options: Options) -> None:
    # What is not read on a terminal is read by other programs: nothing is wrapped there.
    console = Console() if sys.stdout.isatty() else Console(width=_WIDE)
    documents: list[str] = []
    for name in options.suites:
        result = await _suite(name, server, options)
        result.show(console)
        documents.append(json.dumps(result.document(), ensure_ascii=False))
        if options.save:
            for path in result.save():
                console.print(f"written: {path}", highlight=False)
    if options.save:
        console.print("the docs follow by `make bench-report`", highlight=False)
    if options.json is not None:
        options.json.write_text("".join(f"{document}\n" for document in documents), encoding="utf-8")


async def _suite(name: str, server: Server, options: Options) -> Result:
    machine = await describe(server)
    database = f"workflow_store_bench_{name}_{short(options.scale)}"
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    async with migrated_database(server, database, keep=options.keep) as dsn:
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            result = await _SUITES[name](dsn, options, progress)
    result.machine = machine
    result.label = options.label
    return result


if __name__ == "__main__":
    sys.exit(main())
