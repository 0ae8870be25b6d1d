"""A few kills of an ingest and of the server under it; ``python -m tests.faults.kills`` makes a hundred."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.faults.kills.moments import Moment, killed_client, killed_server, undisturbed
from tests.faults.server import Server
from tests.integration.model import SEED


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server.running() as made:
        yield made


@pytest.fixture(scope="module")
def whole(server: Server) -> dict[str, str]:
    """What an ingest leaves that nobody disturbs."""
    return undisturbed(server, SEED)


@pytest.mark.parametrize("number", range(8))
def test_a_killed_ingest_leaves_all_it_acknowledged_and_nothing_half(
    server: Server, whole: dict[str, str], number: int
) -> None:
    moment = Moment.drawn(random.Random(f"{SEED}/client/{number}"))

    assert killed_client(server, SEED, moment, whole) == [], f"seed {SEED}: {moment}"


@pytest.mark.parametrize("number", range(4))
def test_a_killed_server_has_all_it_acknowledged_and_nothing_half(
    server: Server, whole: dict[str, str], number: int
) -> None:
    moment = Moment.drawn(random.Random(f"{SEED}/server/{number}"))

    assert killed_server(server, SEED, moment, whole) == [], f"seed {SEED}: {moment}"
