"""The schema's functions on a real server."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import asyncpg
import pytest
from psycopg import conninfo

from workflow_store import resources, schema
from workflow_store.errors import (
    InvalidField,
    MigrationFailed,
    PermissionDenied,
    SchemaMissing,
    SchemaOutdated,
    SchemaTooNew,
    ServerUnavailable,
    SettingsError,
)
from workflow_store.schema.child import DSN_VARIABLE
from workflow_store.schema.dump import dump_schema
from workflow_store.schema.folder import migration_files
from workflow_store.schema.secret import scrub

IDS = [file.id for file in migration_files()]
ROOT = Path(resources.__file__).parents[1]
LATER = "9999_of_a_later_version"

FolderOf = Callable[..., Path]


@pytest.fixture
async def connection(empty_database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(empty_database)
    yield connection
    await connection.close()


@pytest.fixture
def folder_of(tmp_path: Path) -> FolderOf:
    def write(**texts: str) -> Path:
        for name, text in texts.items():
            (tmp_path / f"{name.removeprefix('m').replace('__', '.')}.sql").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def options_of(dsn: str) -> dict[str, str]:
    return {name: str(value) for name, value in conninfo.conninfo_to_dict(dsn).items()}


def uri(dsn: str, **changes: str) -> str:
    """The DSN with other options, all of them but the login in the query."""
    options = options_of(dsn) | changes
    login = quote(options.pop("user", ""), safe="")
    if "password" in options:
        login += ":" + quote(options.pop("password"), safe="")
    return f"postgresql://{login}@/{options.pop('dbname')}?{urlencode(options, quote_via=quote)}"


async def dump(dsn: str) -> str:
    return await asyncio.to_thread(dump_schema, dsn)


async def catalogue(connection: asyncpg.Connection[Any]) -> list[tuple[Any, ...]]:
    """Every row that DDL on the schema would have written anew."""
    rows = await connection.fetch(
        """
        SELECT 'schema' AS kind, nspname AS name, xmin::text AS written
        FROM pg_namespace WHERE nspname = 'workflow_store'
        UNION ALL
        SELECT 'relation', relname, xmin::text FROM pg_class WHERE relnamespace = to_regnamespace('workflow_store')
        UNION ALL
        SELECT 'column', c.relname || '.' || a.attname, a.xmin::text
        FROM pg_attribute AS a INNER JOIN pg_class AS c ON c.oid = a.attrelid
        WHERE c.relnamespace = to_regnamespace('workflow_store')
        ORDER BY kind, name
        """
    )
    return [tuple(row) for row in rows]


async def storage(connection: asyncpg.Connection[Any]) -> dict[str, tuple[str, str]]:
    rows = await connection.fetch(
        """
        SELECT c.relname || '.' || a.attname AS name, a.attstorage::text, a.attcompression::text
        FROM pg_attribute AS a INNER JOIN pg_class AS c ON c.oid = a.attrelid
        WHERE c.relnamespace = to_regnamespace('workflow_store') AND c.relkind = 'r' AND a.attnum > 0
        """
    )
    return {row["name"]: (row["attstorage"], row["attcompression"]) for row in rows}


async def test_the_committed_schema_is_the_sum_of_the_migrations(empty_database: str) -> None:
    await schema.migrate(empty_database)

    assert await dump(empty_database) == (resources.folder("sql") / "schema.sql").read_text(encoding="utf-8")


async def test_down_and_up_again_gives_the_same_schema(empty_database: str) -> None:
    await schema.migrate(empty_database)
    before = await dump(empty_database)

    down = await schema.rollback(empty_database, to="base")
    between = await dump(empty_database)
    up = await schema.migrate(empty_database)

    assert list(down.rolled_back) == IDS[::-1]
    assert down.current is None
    assert between.count("CREATE") == 1, "the schema itself stays, empty"
    assert list(up.applied) == IDS
    assert await dump(empty_database) == before


async def test_each_rollback_undoes_exactly_its_own_migration(empty_database: str) -> None:
    await schema.migrate(empty_database, to=IDS[0])
    await schema.rollback(empty_database)
    dumps = [await dump(empty_database)]
    for name in IDS:
        report = await schema.migrate(empty_database, to=name)
        assert report.applied == (name,)
        dumps.append(await dump(empty_database))
    assert len(set(dumps)) == len(IDS) + 1

    for position in reversed(range(len(IDS))):
        report = await schema.rollback(empty_database)
        assert report.rolled_back == (IDS[position],)
        assert report.current == (IDS[position - 1] if position else None)
        assert await dump(empty_database) == dumps[position]


async def test_everything_lies_in_the_schema(empty_database: str, connection: asyncpg.Connection[Any]) -> None:
    await schema.migrate(empty_database)

    tables = await connection.fetch(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    assert {row["schemaname"] for row in tables} == {"workflow_store"}
    assert {"workflows", "_yoyo_migration", "yoyo_lock"} < {row["tablename"] for row in tables}


async def test_a_second_call_changes_nothing(empty_database: str, connection: asyncpg.Connection[Any]) -> None:
    first = await schema.migrate(empty_database)
    before = await catalogue(connection)

    second = await schema.migrate(empty_database)

    assert list(first.applied) == IDS
    assert (second.applied, second.altered, second.current) == ((), (), IDS[-1])
    assert await catalogue(connection) == before


async def test_migrating_goes_no_further_than_told_and_never_back(empty_database: str) -> None:
    assert (await schema.migrate(empty_database, to=IDS[1])).current == IDS[1]

    report = await schema.migrate(empty_database, to=IDS[0])

    assert (report.applied, report.current) == ((), IDS[1])


async def test_rolling_back_keeps_the_migration_it_is_told(empty_database: str) -> None:
    await schema.migrate(empty_database)

    report = await schema.rollback(empty_database, to=IDS[0])

    assert list(report.rolled_back) == IDS[:0:-1]
    assert (await schema.status(empty_database)).current == IDS[0]


async def test_rolling_back_counts_steps(empty_database: str) -> None:
    await schema.migrate(empty_database)

    report = await schema.rollback(empty_database, steps=2)

    assert list(report.rolled_back) == IDS[:-3:-1]
    assert report.compression is None


async def test_a_misspelt_choice_is_named_with_what_is_allowed(empty_database: str) -> None:
    with pytest.raises(InvalidField, match="no migration '0001_typo'; allowed: 0001_workflows"):
        await schema.migrate(empty_database, to="0001_typo")
    with pytest.raises(InvalidField, match=r"allowed: 0001_workflows, .*, base"):
        await schema.rollback(empty_database, to="bottom")
    with pytest.raises(InvalidField, match="allowed: auto, lz4, none, pglz"):
        await schema.migrate(empty_database, compression="zstd")
    with pytest.raises(InvalidField, match="steps: can't be given together with to"):
        await schema.rollback(empty_database, to=IDS[0], steps=1)
    with pytest.raises(InvalidField, match="steps: must be at least 1"):
        await schema.rollback(empty_database, steps=0)


async def test_the_status_tells_what_is_applied_and_since_when(empty_database: str) -> None:
    nothing = await schema.status(empty_database)
    await schema.migrate(empty_database, to=IDS[0])
    one = await schema.status(empty_database)

    assert (nothing.current, list(nothing.pending)) == (None, IDS)
    assert [migration.id for migration in one.migrations] == IDS
    assert [migration.applied for migration in one.migrations] == [True] + [False] * (len(IDS) - 1)
    assert one.migrations[0].applied_at is not None
    assert one.migrations[0].applied_at.utcoffset() is not None
    assert one.migrations[1].applied_at is None
    assert (one.current, list(one.pending)) == (IDS[0], IDS[1:])


async def test_the_check_tells_missing_outdated_and_current_apart(
    empty_database: str, connection: asyncpg.Connection[Any]
) -> None:
    with pytest.raises(SchemaMissing, match="db init"):
        await schema.check(connection)

    await schema.migrate(empty_database, to=IDS[0])
    with pytest.raises(SchemaOutdated, match=f"{', '.join(IDS[1:])}; .*db upgrade"):
        await schema.check(connection)

    await schema.migrate(empty_database)
    await schema.check(connection)

    await schema.rollback(empty_database, to="base")
    with pytest.raises(SchemaMissing):
        await schema.check(connection)


async def test_a_later_versions_schema_is_refused_by_name(
    empty_database: str, connection: asyncpg.Connection[Any]
) -> None:
    await schema.migrate(empty_database)
    await connection.execute(
        "INSERT INTO workflow_store._yoyo_migration VALUES ('a hash', $1, now() AT TIME ZONE 'UTC')", LATER
    )

    with pytest.raises(SchemaTooNew, match=LATER):
        await schema.check(connection)
    with pytest.raises(SchemaTooNew, match=LATER):
        await schema.migrate(empty_database)
    with pytest.raises(SchemaTooNew, match=LATER):
        await schema.rollback(empty_database)
    status = await schema.status(empty_database)
    assert (status.unknown, status.current, status.pending) == ((LATER,), LATER, ())


async def test_a_role_without_the_right_is_told_so(empty_database: str, connection: asyncpg.Connection[Any]) -> None:
    with pytest.raises(PermissionDenied, match="permission denied for database") as refused:
        await schema.migrate(uri(empty_database, options="-c role=pg_monitor"))
    assert refused.value.sqlstate == "42501"

    await schema.migrate(empty_database)
    await connection.execute("SET ROLE pg_monitor")
    with pytest.raises(PermissionDenied, match="permission denied for schema"):
        await schema.check(connection)


async def test_dropping_all_leaves_an_empty_database(empty_database: str, connection: asyncpg.Connection[Any]) -> None:
    await schema.migrate(empty_database)
    await connection.execute("CREATE TABLE public.of_somebody_else (id int)")

    await schema.drop_all(empty_database)
    await schema.drop_all(empty_database)

    assert await connection.fetchval("SELECT to_regnamespace('workflow_store')") is None
    assert await connection.fetchval("SELECT to_regclass('public.of_somebody_else')") is not None
    with pytest.raises(SchemaMissing):
        await schema.check(connection)


@pytest.mark.parametrize("method", ["pglz", "none"])
async def test_large_values_are_compressed_as_asked(
    empty_database: str, connection: asyncpg.Connection[Any], method: str
) -> None:
    expected = {"pglz": ("x", "p"), "none": ("e", "")}[method]

    first = await schema.migrate(empty_database, compression=method)
    columns = await storage(connection)
    second = await schema.migrate(empty_database, compression=method)

    assert first.compression == method
    assert columns["workflow_structure.workflow_json"] == expected
    assert columns["workflow_content.explainer_html"] == expected
    assert columns["ingest_quarantine.raw"] == expected
    assert columns["workflow_metadata.tags"] == ("x", ""), "an indexed column is left alone"
    assert second.altered == ()


async def test_the_compression_can_be_changed_later_and_keeps_the_schema(
    empty_database: str, connection: asyncpg.Connection[Any]
) -> None:
    has_lz4 = await connection.fetchval(
        "SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'"
    )
    await schema.migrate(empty_database, compression="none")
    without = await dump(empty_database)

    report = await schema.migrate(empty_database)

    assert report.compression == ("lz4" if has_lz4 else "pglz")
    assert (await storage(connection))["video_transcripts.transcript_text"] == ("x", "l" if has_lz4 else "p")
    assert any(statement.startswith("ALTER TABLE workflow_store.video_transcripts ") for statement in report.altered)
    assert await dump(empty_database) == without


async def test_a_compression_the_server_lacks_is_named(
    empty_database: str, connection: asyncpg.Connection[Any]
) -> None:
    has_lz4 = await connection.fetchval(
        "SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'"
    )
    if has_lz4:
        assert (await schema.migrate(empty_database, compression="lz4")).compression == "lz4"
        return

    with pytest.raises(MigrationFailed, match=r"compression lz4: .*0A000"):
        await schema.migrate(empty_database, compression="lz4")
    await schema.check(connection)


async def test_a_migration_that_fails_half_way_leaves_nothing_of_itself(
    empty_database: str, connection: asyncpg.Connection[Any], folder_of: FolderOf
) -> None:
    second = (
        "-- depends: 0001_first\nCREATE TABLE workflow_store.half (id int);\nCREATE TABLE workflow_store.{} (id int);"
    )
    folder = folder_of(
        m0001_first="CREATE TABLE workflow_store.first (id int);",
        m0001_first__rollback="DROP TABLE workflow_store.first;",
        m0002_second=second.format("first"),
        m0002_second__rollback="DROP TABLE workflow_store.rest;\nDROP TABLE workflow_store.half;",
    )

    with pytest.raises(MigrationFailed) as failure:
        await schema.migrate(empty_database, folder=folder)

    assert str(failure.value) == ('0002_second: relation "first" already exists (42P07); done before it: 0001_first')
    assert (await schema.status(empty_database, folder=folder)).pending == ("0002_second",)
    assert await connection.fetchval("SELECT to_regclass('workflow_store.half')") is None
    assert await connection.fetchval("SELECT count(*) FROM workflow_store.yoyo_lock") == 0

    folder_of(m0002_second=second.format("rest"))
    assert (await schema.migrate(empty_database, folder=folder)).applied == ("0002_second",)
    assert (await schema.rollback(empty_database, folder=folder, to="base")).current is None


async def test_a_rollback_that_fails_leaves_the_migration_applied(
    empty_database: str, connection: asyncpg.Connection[Any], folder_of: FolderOf
) -> None:
    folder = folder_of(
        m0001_first="CREATE TABLE workflow_store.first (id int);",
        m0001_first__rollback="DROP TABLE workflow_store.first;\nDROP TABLE workflow_store.absent;",
    )
    await schema.migrate(empty_database, folder=folder)

    with pytest.raises(MigrationFailed, match='0001_first: table "absent" does not exist'):
        await schema.rollback(empty_database, folder=folder)

    assert (await schema.status(empty_database, folder=folder)).current == "0001_first"
    assert await connection.fetchval("SELECT to_regclass('workflow_store.first')") is not None


async def test_a_migration_outside_a_transaction_is_entered_after_it_and_may_print_rows(
    empty_database: str, connection: asyncpg.Connection[Any], folder_of: FolderOf
) -> None:
    folder = folder_of(
        m0001_first="CREATE TABLE workflow_store.first (id int);\nSELECT 'a row' AS printed;",
        m0001_first__rollback="DROP TABLE workflow_store.first;",
        m0002_index="-- depends: 0001_first\n-- transactional: false\n"
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS first_idx ON workflow_store.first (id);",
        m0002_index__rollback="DROP INDEX CONCURRENTLY IF EXISTS workflow_store.first_idx;",
    )

    up = await schema.migrate(empty_database, folder=folder)
    assert up.applied == ("0001_first", "0002_index")
    assert await connection.fetchval("SELECT to_regclass('workflow_store.first_idx')") is not None

    down = await schema.rollback(empty_database, folder=folder)
    assert down.rolled_back == ("0002_index",)
    assert await connection.fetchval("SELECT to_regclass('workflow_store.first_idx')") is None


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (
            {"m0001_a": "", "m0001_a__rollback": "", "m0003_c": "-- depends: 0001_a", "m0003_c__rollback": ""},
            "0002 was",
        ),
        ({"m0002_a": "", "m0002_a__rollback": ""}, "0001 was expected"),
        ({"m0001_a": ""}, "there is no 0001_a.rollback.sql"),
        ({"m1_a": "", "m1_a__rollback": ""}, "named NNNN_name.sql"),
        ({"m0001_A": "", "m0001_A__rollback": ""}, "named NNNN_name.sql"),
        ({"m0001_a": "", "m0001_a__rollback": "", "m0002_b__rollback": ""}, "0002_b.rollback.sql: rolls back nothing"),
        ({"m0001_a": "-- depends: 0000_z", "m0001_a__rollback": ""}, "depends on nothing"),
        (
            {"m0001_a": "", "m0001_a__rollback": "", "m0002_b": "", "m0002_b__rollback": ""},
            "must say '-- depends: 0001",
        ),
    ],
)
def test_a_folder_that_does_not_follow_the_rules_is_refused(
    folder_of: FolderOf, names: dict[str, str], complaint: str
) -> None:
    with pytest.raises(MigrationFailed, match=re.escape(complaint)):
        migration_files(folder_of(**names))


def test_a_migration_in_python_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0001_a.py").touch()

    with pytest.raises(MigrationFailed, match=re.escape("named NNNN_name.sql")):
        migration_files(tmp_path)


async def test_no_server_is_named_by_host_port_and_database() -> None:
    with pytest.raises(ServerUnavailable) as failure:
        await schema.status("postgresql://somebody:canary@127.0.0.1:1/shop")

    for part in ("127.0.0.1", "port 1", "'shop'"):
        assert part in str(failure.value)
    assert "canary" not in str(failure.value)


@pytest.mark.parametrize(
    "dsn",
    [
        "host=localhost password=canary",
        "postgresql://somebody:canary%zz@localhost/db",
        "postgresql://localhost/db?no_such_option=canary",
    ],
)
async def test_a_dsn_that_can_not_be_read_is_not_shown(dsn: str) -> None:
    with pytest.raises(SettingsError, match="the DSN") as failure:
        await schema.status(dsn)

    assert "canary" not in str(failure.value)


async def test_the_dsn_may_hold_whatever_libpq_knows(empty_database: str, connection: asyncpg.Connection[Any]) -> None:
    dsn = uri(empty_database, target_session_attrs="read-write", connect_timeout="5", application_name="mine")

    assert (await schema.migrate(dsn)).current == IDS[-1]
    await schema.check(connection)


def told(error: BaseException) -> str:
    """All that a crash report would show of an error, locals included, but for those of the test itself."""
    assert error.__traceback__ is not None
    frames = traceback.StackSummary.extract(
        traceback.walk_tb(error.__traceback__.tb_next), capture_locals=True
    ).format()
    return "".join(frames) + "".join(traceback.format_exception(error)) + repr(error.__dict__)


@pytest.mark.parametrize("password", ["canary-wrong", "c@nary/wrong"])
async def test_a_refused_password_is_nowhere_in_the_error(empty_database: str, password: str) -> None:
    dsn = uri(empty_database, user="nobody_here", password=password)

    with pytest.raises((ServerUnavailable, PermissionDenied)) as failure:
        await schema.migrate(dsn)

    report = told(failure.value)
    assert "nobody_here" in report
    assert not re.search("c(anary|%40nary|@nary)", report)


async def test_a_servers_words_do_not_carry_the_password_on(empty_database: str, folder_of: FolderOf) -> None:
    dsn = uri(empty_database, **{"password": "canary", **options_of(empty_database)})
    password = options_of(dsn)["password"]
    folder = folder_of(m0001_first=f'SELECT "{password}";', m0001_first__rollback="")

    with pytest.raises(MigrationFailed) as failure:
        await schema.migrate(dsn, folder=folder)

    assert str(failure.value) == '0001_first: column "***" does not exist (42703)'


@pytest.mark.parametrize(
    ("dsn", "text"),
    [
        ("postgresql://u:s3cret@h/d", "s3cret"),
        ("postgres://u:s%40cret@h/d", "s@cret and s%40cret"),
        ("postgresql://u:pa@cret@h/d", "pa@cret"),
        ("postgresql://h/d?user=u&password=s%2Bcret", "s+cret"),
        ("postgresql://h/d?sslpassword=s3cret&x=1", "s3cret"),
    ],
)
def test_a_password_is_taken_out_however_it_is_written(dsn: str, text: str) -> None:
    scrubbed = scrub(f"said {text} and {dsn}", dsn)

    assert "cret" not in scrubbed
    assert scrubbed.startswith("said ***")


async def test_a_pooler_is_refused_before_anything_is_done(
    empty_database: str, connection: asyncpg.Connection[Any]
) -> None:
    options = options_of(empty_database)
    host, server_port = options["host"], int(options.get("port", "5432"))

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """As a pooler does: hand out a process id of its own."""
        if host.startswith("/"):
            server, to_server = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{server_port}")
        else:
            server, to_server = await asyncio.open_connection(host, server_port)

        async def upward() -> None:
            while data := await reader.read(65536):
                to_server.write(data)
            to_server.close()

        task = asyncio.ensure_future(upward())
        while header := await server.read(5):
            header += await server.readexactly(5 - len(header))
            body = await server.readexactly(int.from_bytes(header[1:]) - 4)
            writer.write(header + (b"\x00\x00\x00\x07" + body[4:] if header[:1] == b"K" else body))
        writer.close()
        await task

    async with await asyncio.start_server(relay, "127.0.0.1", 0) as pooler:
        port = str(pooler.sockets[0].getsockname()[1])
        dsn = uri(empty_database, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable")
        with pytest.raises(SettingsError, match="WORKFLOW_STORE_ADMIN_DSN"):
            await schema.migrate(dsn)
        assert (await schema.status(dsn)).current is None

    assert await connection.fetchval("SELECT to_regnamespace('workflow_store')") is None


def command(dsn: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workflow_store.schema", *arguments],
        env={**os.environ, DSN_VARIABLE: dsn, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


async def test_the_dump_can_be_had_from_a_shell(empty_database: str) -> None:
    await schema.migrate(empty_database)

    done = await asyncio.to_thread(command, empty_database, "dump")
    failed = await asyncio.to_thread(command, uri(empty_database, dbname="absent"), "dump")

    assert done.stdout == await dump(empty_database)
    assert (failed.returncode, '"MigrationFailed"' in failed.stdout, "does not exist" in failed.stdout) == (
        1,
        True,
        True,
    )


async def test_a_shell_rolls_back_one_step_unless_told_a_known_migration(empty_database: str) -> None:
    await schema.migrate(empty_database)

    typo = await asyncio.to_thread(command, empty_database, "rollback", "--to", "0000")
    one = await asyncio.to_thread(command, empty_database, "rollback")

    assert (typo.returncode, one.returncode) == (1, 0)
    assert "no migration '0000'" in typo.stdout
    assert (await schema.status(empty_database)).current == IDS[-2]


async def test_an_unforeseen_failure_of_the_child_is_told_by_its_kind(empty_database: str, tmp_path: Path) -> None:
    (tmp_path / "0001_a.rollback.sql").touch()
    (tmp_path / "0001_a.sql").write_bytes(b"-- \xff")

    done = await asyncio.to_thread(command, empty_database, "status", "--folder", str(tmp_path))

    assert done.returncode == 1
    assert "UnicodeDecodeError" in done.stdout


def test_a_missing_pg_dump_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("shutil.which", lambda name: None)

    with pytest.raises(MigrationFailed, match="pg_dump was not found"):
        dump_schema("postgresql://localhost/db")
