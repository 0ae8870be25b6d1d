"""SIGKILL at a random moment: of the process that ingests, or of the server under it."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from tests.faults.kills.source import BATCH, differences, emptied, fingerprint, left_alone, orphans
from tests.faults.server import DURABLE, Server

Victim: TypeAlias = Literal["client", "server"]

RECORDS: Final = 200
_CHECKOUT: Final = Path(__file__).resolve().parents[3]
_PATIENCE: Final = 60


@dataclass(frozen=True, slots=True)
class Moment:
    """When to kill, and what.

    Attributes:
        after: lines that are read first: the first says that the store is open, the others are batches.
        delay: seconds more.
        connections: batches in flight.
        patience: seconds for which the ingest tries again when the server is away.
        immediate: the server is stopped by ``pg_ctl -m immediate``, not by SIGKILL.
    """

    after: int
    delay: float
    connections: int
    patience: int
    immediate: bool

    @classmethod
    def drawn(cls, draws: random.Random) -> Moment:
        """One at random."""
        after = draws.randrange(RECORDS // BATCH)
        return cls(
            after, draws.uniform(0, 0.03), draws.choice((1, 3)), draws.choice((0, _PATIENCE)), draws.random() < 0.3
        )


def killed_client(server: Server, seed: int, moment: Moment, whole: dict[str, str]) -> list[str]:
    """Kill an ingest, look at what it left, and let another one finish the work.

    Args:
        whole: the fingerprint of an ingest that nobody disturbed.
    """
    asyncio.run(emptied(server.dsn))
    child = _child(server, seed, moment.connections, patience=0)
    told = _heard(child, moment.after)
    time.sleep(moment.delay)
    child.kill()
    told = _rest(child, told)
    asyncio.run(left_alone(server.dsn))
    return _judged(server, seed, moment, told) + _finished(server, seed, whole)


def killed_server(server: Server, seed: int, moment: Moment, whole: dict[str, str]) -> list[str]:
    """Kill the server under an ingest, start it again, and look at what is stored."""
    asyncio.run(emptied(server.dsn))
    child = _child(server, seed, moment.connections, patience=moment.patience)
    told = _heard(child, moment.after)
    time.sleep(moment.delay)
    if moment.immediate:
        server.stop()
    else:
        server.kill()
    wrong: list[str] = []
    if moment.patience:
        server.start()
        told = _rest(child, told)
        if child.returncode != 0:
            wrong.append(f"the ingest did not go on when the server was back: exit code {child.returncode}")
    else:
        told = _rest(child, told)
        server.start()
    if server.settings(DURABLE) != dict.fromkeys(DURABLE, "on"):
        wrong.append(f"the server is not durable: {server.settings(DURABLE)}")
    found = server.check_files()
    if found:
        wrong.append(f"pg_amcheck: {found}")
    return wrong + _judged(server, seed, moment, told) + _finished(server, seed, whole)


def undisturbed(server: Server, seed: int) -> dict[str, str]:
    """The fingerprint of an ingest from its beginning to its end."""
    asyncio.run(emptied(server.dsn))
    child = _child(server, seed, 1, patience=0)
    assert _rest(child, 0) == RECORDS
    assert child.returncode == 0
    return asyncio.run(fingerprint(server.dsn))


def _judged(server: Server, seed: int, moment: Moment, told: int) -> list[str]:
    in_order = moment.connections == 1
    return asyncio.run(differences(server.dsn, seed, RECORDS, told, in_order=in_order)) + asyncio.run(
        orphans(server.dsn)
    )


def _finished(server: Server, seed: int, whole: dict[str, str]) -> list[str]:
    child = _child(server, seed, 1, patience=0)
    told = _rest(child, 0)
    if child.returncode != 0 or told != RECORDS:
        return [f"another ingest ended with exit code {child.returncode} after {told} records"]
    found = asyncio.run(fingerprint(server.dsn))
    return [] if found == whole else [f"after another ingest the contents are {found}, not {whole}"]


def _child(server: Server, seed: int, connections: int, *, patience: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.faults.kills.child", str(seed), str(RECORDS), str(connections)]
    return subprocess.Popen(
        [*command, str(patience)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_CHECKOUT,
        env={**os.environ, "WORKFLOW_STORE_DSN": server.dsn},
    )


def _heard(child: subprocess.Popen[bytes], lines: int) -> int:
    """Read so many lines and one more; the number in the last."""
    assert child.stdout is not None
    told = 0
    for _ in range(lines + 1):
        told = int(child.stdout.readline() or told)
    return told


def _rest(child: subprocess.Popen[bytes], told: int) -> int:
    """Read all that is left, and wait for the end; the number in the last line."""
    assert child.stdout is not None
    for line in child.stdout:
        told = int(line)
    child.wait(timeout=120)
    child.stdout.close()
    return told
