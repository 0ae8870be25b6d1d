"""A short run of the fault runner; ``make faults`` makes longer ones."""

from __future__ import annotations

import asyncio

from tests.faults.runner.run import run, summary
from tests.faults.server import Server
from tests.integration.model import SEED

_SECONDS = 15.0


def test_under_faults_the_store_holds_what_its_writers_were_told() -> None:
    with Server.running() as server:
        result = asyncio.run(run(SEED, _SECONDS, server.dsn, server))

    assert not result.wrong, "\n".join([f"seed {SEED}, {_SECONDS:g} s", *summary(result)])
    # It was a run, and the faults were felt.
    assert result.operations.total() > 100
    assert result.errors.total() > 10
    assert result.faults.total() > 3
