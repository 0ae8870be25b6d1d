"""A password appears nowhere but on its way to the server: not in output, logs, tracebacks with locals or ``ps``."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from tests.logins import as_role

CANARY = "kanari/en:vogel?42"
# As it stands in a URI, too, and in an error that quotes a part of one.
TRACES = (CANARY, quote(CANARY, safe=""), "kanari", "vogel")

# Every error's whole chain is printed with the variables of every frame, and everything that is logged.
_TOLD = """
import asyncio, logging, sys, traceback
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
asyncio.get_event_loop_policy()
from workflow_store import Settings, Workflow, WorkflowStore, schema
from workflow_store.errors import StoreError
from workflow_store.operations.backup import create_backup
from workflow_store.operations.roles import create_roles, passwords_of_environment

def tell(error):
    print("told", type(error).__name__)
    for line in traceback.TracebackException.from_exception(error, capture_locals=True).format():
        print(line)

async def attempt(work):
    try:
        print(repr(await work()))
    except Exception as error:
        tell(error)

async def used():
    async with WorkflowStore.open() as store:
        print(repr(store), repr(store.settings), store.settings.model_dump(), vars(store))
        await store.upsert_workflow(Workflow(workflow_id="1", url="u"))
        try:
            await store.create_workflow(Workflow(workflow_id="1", url="u"))
        except StoreError as error:
            tell(error)
        async with store.transaction() as tx:
            await store.ping(timeout=5)
            await tx.create_workflow(Workflow(workflow_id="1", url="u"))

async def main():
    asyncio.get_running_loop().set_debug(True)
    await attempt(used)
    await attempt(lambda: schema.migrate())
    await attempt(lambda: create_backup())
    await attempt(lambda: create_roles(passwords=passwords_of_environment()))

asyncio.run(main())
"""


@pytest.fixture
def login(database_dsn: str, workflow_store_server: Any) -> Iterator[str]:
    """URI of a superuser whose password is the canary."""
    role = "canary_" + database_dsn.rsplit("_", 1)[-1].split("?")[0]
    with psycopg.connect(database_dsn, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}").format(sql.Identifier(role), sql.Literal(CANARY))
        )
    yield as_role(database_dsn, role, CANARY)
    with psycopg.connect(database_dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("REASSIGN OWNED BY {} TO CURRENT_USER").format(sql.Identifier(role)))
        connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def environment(dsn: str, folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WORKFLOW_STORE_")}
    (folder / "settings.toml").touch()
    return {
        **kept,
        "WORKFLOW_STORE_DSN": dsn,
        "WORKFLOW_STORE_SETTINGS_FILE": str(folder / "settings.toml"),
        "WORKFLOW_STORE_BACKUP_DIR": str(folder / "backups"),
        "WORKFLOW_STORE_MEDIA_DIR": str(folder / "media"),
        "WORKFLOW_STORE_READER_PASSWORD": CANARY,
        "WORKFLOW_STORE_CONNECT_TIMEOUT": "3",
        "PYTHONUNBUFFERED": "1",
    }


class Watch:
    """Looks at the command lines of all processes until it is stopped."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self.seen: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.005):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
                except OSError:
                    continue
                self.seen.add(line.split(" ", 1)[0].rsplit("/", 1)[-1])
                if any(trace in line for trace in TRACES):
                    self.found.add(line)


def run(arguments: Sequence[str], environment: dict[str, str]) -> str:
    ended = subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return ended.stdout + ended.stderr


def traces(text: str) -> list[str]:
    """The lines that give something of the password away."""
    return [line for line in text.splitlines() if any(trace in line for trace in TRACES)]


def with_parts(dsn: str, **changes: str) -> str:
    return urlunsplit(urlsplit(dsn)._replace(**changes))


def broken(dsn: str, how: str) -> str:
    parts = urlsplit(dsn)
    user = parts.netloc.rpartition("@")[0]
    match how:
        case "away":
            return f"postgresql://{user}@127.0.0.1:1/nowhere"
        case "another database":
            return with_parts(dsn, path="/not_there")
        case "refused":
            return with_parts(dsn, netloc=parts.netloc.replace("%3A", "x"))
        case "not encoded":
            return f"postgresql://someone:{CANARY}@127.0.0.1:1/nowhere"
        case "no port":
            return f"postgresql://{user}@127.0.0.1:{quote(CANARY, safe='')}/nowhere"
        case _:
            return dsn


@pytest.mark.parametrize("how", ["well", "away", "another database", "refused", "not encoded", "no port"])
def test_nothing_that_is_said_gives_the_password_away(login: str, tmp_path: Path, how: str) -> None:
    with Watch() as watch:
        said = run(["-c", _TOLD], environment(broken(login, how), tmp_path))

    assert traces(said) == []
    assert watch.found == set()
    if how == "well":
        assert "told AlreadyExists" in said
        assert "kind='archive'" in said, "there was no backup"
        assert "pg_dump" in watch.seen
    else:
        assert "told " in said


VERBS: dict[str, list[str]] = {
    "stats": ["stats", "--debug"],
    "list": ["list", "--json", "--debug"],
    "status": ["db", "status", "--debug"],
    "upgrade": ["db", "upgrade", "--debug"],
    "roles": ["db", "roles", "--debug"],
    "backup": ["backup", "create", "--kind", "sql", "--debug"],
    "help": ["--help"],
}


@pytest.mark.parametrize("how", ["well", "away", "refused", "not encoded"])
def test_no_verb_gives_the_password_away(login: str, tmp_path: Path, how: str) -> None:
    with Watch() as watch:
        said = {
            name: run(["-m", "workflow_store", *verb], environment(broken(login, how), tmp_path))
            for name, verb in VERBS.items()
        }

    assert {name: found for name, text in said.items() if (found := traces(text))} == {}
    assert all(said.values())
    assert watch.found == set()
