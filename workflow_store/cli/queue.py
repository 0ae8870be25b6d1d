"""``workflow-store enqueue`` and ``pending``: what is to be scraped next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.cells import cell_len
from rich.text import Text

from workflow_store.cli.outcomes import UsageError
from workflow_store.cli.output import COMMON, Common
from workflow_store.cli.server import command_settings
from workflow_store.cli.standard_input import contents
from workflow_store.cli.wording import count, identifier, moment, plural
from workflow_store.models import Pending
from workflow_store.store import WorkflowStore


async def enqueue(
    pairs: Annotated[list[tuple[str, str]] | None, Parameter(name="ID URL...", negative=())] = None,
    /,
    *,
    from_: Annotated[Path | None, Parameter(name="--from", allow_leading_hyphen=True)] = None,
    due_at: datetime | None = None,
    common: Common = COMMON,
) -> None:
    """Put workflows into the queue of what is to be scraped.

    Without --due-at the new ones are due now; what was scraped before stays out, what is queued stays as it is. With
    `--json` the number of those that were not in the queue before is `added`.

    Args:
        pairs: An id and its URL, any number of times.
        from_: A file with an id and its URL on each line, with a tab or spaces between them; - is standard input.
        due_at: Queue all of them for this moment, such as 2026-05-04T03:02:00Z, scraped before or not; a time without
            a zone is UTC.
    """
    output = common.output
    wanted = [*(pairs or ()), *(_pairs(await contents(from_), from_) if from_ else ())]
    if not wanted and from_ is None:
        raise UsageError("give an id and its URL, or a file of them with --from")
    async with WorkflowStore.open(command_settings()) as store:
        added = await store.enqueue(wanted, due_at)
    if output.json:
        output.document({"given": len(wanted), "added": added})
    else:
        output.show(f"{added:,} of {plural(len(wanted), 'workflow')} added to the queue")


async def pending(*, limit: int = 20, common: Common = COMMON) -> None:
    """Show what is due to be scraped and not leased, the longest due first; nothing is changed.

    Args:
        limit: Entries at most, 1 to 1,000.
    """
    output = common.output
    async with WorkflowStore.open(command_settings()) as store:
        entries = await store.pending(limit)
    if output.json:
        output.document({"items": [{**asdict(entry), "due_at": entry.due_at.isoformat()} for entry in entries]})
        return
    if entries:
        output.show(*_lines(entries), whole=True)
    else:
        output.show("nothing is due")


def _lines(entries: Sequence[Pending]) -> Iterator[Text]:
    # Ids and addresses whole, as they are needed: a rich table would shorten them.
    ids = [identifier(entry.workflow_id) for entry in entries]
    columns = max(cell_len(text) for text in (*ids, "id"))
    yield Text(f"{'id':<{columns}}  due (UTC)         failed  url", style="bold")
    for workflow_id, entry in zip(ids, entries, strict=True):
        facts = f"  {moment(entry.due_at)}  {count(entry.retry_count):>6}  {identifier(entry.url or '')}"
        yield Text.assemble((workflow_id, "cyan"), " " * (columns - cell_len(workflow_id)), facts.rstrip())


def _pairs(raw: bytes, path: Path) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for number, line in enumerate(raw.split(b"\n"), 1):
        try:
            text = line.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            raise UsageError(f"{path}:{number}: not UTF-8 at byte {error.start:,}") from None
        if not text:
            continue
        parts = text.split("\t") if "\t" in text else text.rsplit(maxsplit=1)
        if len(parts) != 2:
            raise UsageError(f"{path}:{number}: an id and a URL are expected, with a tab or spaces between them")
        pairs.append((parts[0].strip(), parts[1].strip()))
    return pairs
