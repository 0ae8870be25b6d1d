"""``retry_quarantine``: what an ingest has put aside, read and stored again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from workflow_store.models import IngestReport, Quarantined, Rejected, Workflow
from workflow_store.store import WorkflowStore


async def retry_quarantine(
    store: WorkflowStore,
    ids: Iterable[str] | None = None,
    *,
    source: str | None = None,
    overwrite: bool = False,
    report: IngestReport | None = None,
    timeout: float | None = None,
) -> IngestReport:
    """Read records of the quarantine again, with the settings that the store has now, and store what can be stored.

    See ``Quarantine.retry``, which takes a function of your own to read them.

    Args:
        ids: which ones; all where not given.
        source: only records whose source begins with this, such as a file's path.
        overwrite: store all of a record, also where its workflow was stored, or seen unchanged, since then; without it
            only parts that are not stored are taken in that case.
        report: a report to count in, for a caller who wants it even when this raises.
        timeout: seconds for all of it.

    Returns:
        The counts of an ingest; ``rejected`` are those that stay in quarantine.

    Raises:
        InvalidField: an id that is not 32 hexadecimal digits.
        ServerError: the server failed; what was stored before stays stored.
    """
    # Whoever imports the package need not wait for the importers.
    from workflow_store.importers import Limits, read_again

    limits = Limits.of(store.settings)

    def read(record: Quarantined) -> Iterator[Workflow | Rejected]:
        return read_again(record, limits)

    return await store.quarantine.retry(read, ids, source=source, overwrite=overwrite, report=report, timeout=timeout)
