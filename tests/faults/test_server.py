"""The server for faults itself: what is done to it is done, and what it acknowledged is there afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from tests.faults.server import DURABLE, Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server.running() as made:
        yield made


def test_it_keeps_what_it_acknowledges(server: Server) -> None:
    assert server.settings(DURABLE) == dict.fromkeys(DURABLE, "on")


@pytest.mark.parametrize("end", [Server.kill, Server.stop])
def test_rows_survive_and_the_address_stays(server: Server, end: Callable[[Server], None]) -> None:
    with psycopg.connect(server.dsn) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS survivor (number bigint PRIMARY KEY)")
        connection.execute("TRUNCATE survivor")
        connection.execute("INSERT INTO survivor SELECT generate_series(1, 1000)")

    end(server)
    assert server.pid is None
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.dsn)
    server.start()

    with psycopg.connect(server.dsn) as connection:
        assert connection.execute("SELECT count(*) FROM survivor").fetchone() == (1000,)
    assert server.check_files() == ""


def test_frozen_it_does_not_answer_and_thawed_it_does(server: Server) -> None:
    with psycopg.connect(server.dsn) as connection:
        server.freeze()
        try:
            with pytest.raises(psycopg.OperationalError, match="timeout"):
                psycopg.connect(server.dsn, connect_timeout=2)
        finally:
            server.thaw()

        assert connection.execute("SELECT 1").fetchone() == (1,)
