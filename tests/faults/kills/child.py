"""``python -m tests.faults.kills.child SEED NUMBER CONNECTIONS PATIENCE``: an ingest that tells of each batch.

The DSN is in ``WORKFLOW_STORE_DSN``. For every batch that is acknowledged a line goes out: how many records are stored.
"""

from __future__ import annotations

import asyncio
import os
import sys

from tests.faults.kills.source import BATCH, records
from workflow_store import IngestReport, WorkflowStore


def tell(report: IngestReport) -> None:
    """One write, so that a line is told whole or not at all."""
    os.write(1, f"{report.stored}\n".encode())


async def main() -> None:
    """Ingest all of the source."""
    seed, number, connections = map(int, sys.argv[1:4])
    async with WorkflowStore.open(pool_min_size=0, retry_timeout=float(sys.argv[4]), search_refresh="manual") as store:
        os.write(1, b"0\n")
        await store.ingest(records(seed, number), batch_size=BATCH, connections=connections, progress=tell)


if __name__ == "__main__":
    asyncio.run(main())
