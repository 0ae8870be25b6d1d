"""Which servers have to show who they are."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from psycopg.conninfo import conninfo_to_dict

from workflow_store.tls import is_local, secured, trusted_authorities


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PGSSLMODE", "PGSSLROOTCERT", "PGHOST", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://user@localhost/db",
        "postgresql://user@LOCALHOST:5433/db",
        "postgresql://user@127.0.0.1/db",
        "postgresql://user@127.8.9.10:1/db",
        "postgresql://user@[::1]:5432/db",
        "postgresql:///db",
        "postgresql://user@/db?host=/var/run/postgresql",
        "postgresql://user@%2Fvar%2Frun%2Fpostgresql/db",
        "postgresql://user@localhost:1,127.0.0.1:2/db",
        "postgresql://user@db.example.com/db?sslmode=disable",
        "postgresql://user@db.example.com/db?sslmode=require",
        "postgresql://user@[::1/db",
    ],
)
def test_what_is_local_or_says_how_stays_as_it_is(dsn: str) -> None:
    assert secured(dsn) == dsn


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://user:p%40ss@db.example.com/db",
        "postgresql://user@10.0.0.7:5432/db?application_name=x",
        "postgresql://user@[2001:db8::7]:5432/db",
        "postgresql://user@localhost:1,db.example.com:2/db",
        "postgresql://user@/db?host=db.example.com",
        "postgresql://user@localhost.example.com/db",
        "postgresql://user@172.17.0.2/db",
    ],
)
def test_any_other_machine_has_to_prove_its_name(dsn: str) -> None:
    found = secured(dsn)

    added = parse_qs(urlsplit(found).query)
    assert found.startswith(dsn)
    assert added["sslmode"] == ["verify-full"]
    assert added.get("sslrootcert", [None]) == [trusted_authorities()]
    assert secured(found) == found
    # The other driver reads it too.
    assert conninfo_to_dict(found)["sslmode"] == "verify-full"


def test_the_environment_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "prefer")

    assert secured("postgresql://user@db.example.com/db") == "postgresql://user@db.example.com/db"


def test_an_authority_of_ones_own_is_the_only_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    dsn = "postgresql://user@db.example.com/db"
    monkeypatch.setenv("PGSSLROOTCERT", "/etc/own.crt")
    by_environment = secured(dsn)
    monkeypatch.delenv("PGSSLROOTCERT")
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql" / "root.crt").touch()

    assert by_environment == secured(dsn) == f"{dsn}?sslmode=verify-full"
    assert secured(f"{dsn}?sslrootcert=/own.crt") == f"{dsn}?sslrootcert=/own.crt&sslmode=verify-full"


def test_names_that_only_look_local_are_not() -> None:
    assert not is_local("localhost.evil.example")
    assert not is_local("127.0.0.1.evil.example")
    assert is_local("[::1]")
