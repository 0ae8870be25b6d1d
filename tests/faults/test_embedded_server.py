"""The embedded server among real processes: shared, killed, interrupted, recovered."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from workflow_store.embedded import EmbeddedServer, bin_dir
from workflow_store.embedded.folder import dsn
from workflow_store.embedded.processes import live_pid
from workflow_store.errors import EmbeddedError, EmbeddedUnavailable

_CHECKOUT = Path(__file__).resolve().parents[2]
_ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_CHECKOUT), os.environ.get("PYTHONPATH", "")])}
_HOLDER = """
import os, sys
from pathlib import Path
import psycopg
from workflow_store.embedded import EmbeddedServer

server = EmbeddedServer.start(Path(sys.argv[1]))
with psycopg.connect(server.dsn) as connection:
    connection.execute("SELECT 1")
print((server.cluster / "postmaster.pid").read_text().split()[0], flush=True)
for line in sys.stdin:
    if line.strip() == "stop":
        server.stop()
        print("stopped", flush=True)
    elif line.strip() == "query":
        with psycopg.connect(server.dsn) as connection:
            print(connection.execute("SELECT current_user").fetchone()[0], flush=True)
    elif line.strip() == "leave":
        sys.exit(0)
"""


class _Holder:
    """Another process that holds the server."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _HOLDER, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_CHECKOUT,
            env=_ENVIRONMENT,
            start_new_session=True,
        )

    def hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def say(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def ask(self, word: str) -> str:
        self.say(word)
        return self.hear()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def _postmaster(home: Path) -> int | None:
    """The server's process, if it is alive."""
    return live_pid(home / "data")


def _answers(home: Path) -> bool:
    try:
        psycopg.connect(dsn(home / "run")).close()
    except psycopg.OperationalError:
        return False
    return True


def _until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that the server's user can reach; pytest's own temporary folders are closed to other users."""
    folder = Path(tempfile.mkdtemp(prefix="workflow-store-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    for home in folder.rglob("data/postmaster.pid"):
        pid = _postmaster(home.parent.parent)
        if pid is not None:
            os.kill(pid, signal.SIGQUIT)
            _until(lambda home=home: _postmaster(home.parent.parent) is None)  # type: ignore[misc]
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def home(place: Path) -> Path:
    """A data folder whose cluster is made; no server is running."""
    with EmbeddedServer.start(place / "home") as server:
        assert server.data_dir == place / "home"
    return place / "home"


@pytest.fixture
def holders() -> Iterator[Callable[[Path], _Holder]]:
    made: list[_Holder] = []

    def make(home: Path) -> _Holder:
        made.append(_Holder(home))
        return made[-1]

    yield make
    for holder in made:
        holder.end()


def test_eight_processes_that_start_at_once_share_one_new_server(
    place: Path, holders: Callable[[Path], _Holder]
) -> None:
    home = place / "eight"
    group = [holders(home) for _ in range(8)]

    servers = {holder.hear() for holder in group}
    answers = [holder.ask("query") for holder in group]
    first_to_leave = [holder.ask("stop") for holder in group[:7]]

    assert servers == {str(_postmaster(home))}
    assert answers == ["workflow_store"] * 8
    assert first_to_leave == ["stopped"] * 7
    assert group[7].ask("query") == "workflow_store"
    assert group[7].ask("stop") == "stopped"
    assert _postmaster(home) is None
    assert not (home / "data" / "postmaster.pid").exists()


def test_a_killed_holder_counts_no_more(home: Path, holders: Callable[[Path], _Holder]) -> None:
    killed, last = holders(home), holders(home)
    assert killed.hear() == last.hear()
    killed.end()

    assert last.ask("query") == "workflow_store"
    assert last.ask("stop") == "stopped"

    assert _postmaster(home) is None


def test_a_server_whose_holders_were_all_killed_is_joined_and_then_stopped(
    home: Path, holders: Callable[[Path], _Holder]
) -> None:
    killed = holders(home)
    left_behind = killed.hear()
    killed.end()
    assert str(_postmaster(home)) == left_behind

    with EmbeddedServer.start(home):
        assert str(_postmaster(home)) == left_behind

    assert _postmaster(home) is None


def test_a_process_that_ends_without_stop_gives_its_hold_up(home: Path, holders: Callable[[Path], _Holder]) -> None:
    holder = holders(home)
    assert holder.hear() == str(_postmaster(home))

    holder.say("leave")
    holder.process.wait(timeout=30)

    assert _postmaster(home) is None


def test_rows_survive_a_killed_server(home: Path) -> None:
    server = EmbeddedServer.start(home)
    with psycopg.connect(server.dsn) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS survivor (number bigint)")
        connection.execute("INSERT INTO survivor SELECT generate_series(1, 1000)")
    pid = _postmaster(home)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    _until(lambda: _postmaster(home) is None)
    server.stop()

    with EmbeddedServer.start(home) as again, psycopg.connect(again.dsn) as connection:
        row = connection.execute("SELECT count(*), sum(number) FROM survivor").fetchone()

    assert row == (1000, 500500)


def test_a_dead_servers_number_that_another_process_has_now_does_not_keep_it_down(home: Path) -> None:
    with EmbeddedServer.start(home) as server:
        owner = server.cluster.stat().st_uid
        pid_file = server.cluster / "postmaster.pid"
        text = pid_file.read_text()
        pid = _postmaster(home)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        _until(lambda: _postmaster(home) is None)
    stranger = subprocess.Popen(["/bin/sleep", "60"], user=owner if os.geteuid() == 0 else None)
    try:
        pid_file.write_text(f"{stranger.pid}\n{text.split(chr(10), 1)[1]}")

        with EmbeddedServer.start(home):
            assert _postmaster(home) not in (None, pid, stranger.pid)

        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_an_interrupt_of_one_holders_process_group_leaves_the_server_to_the_others(
    home: Path, holders: Callable[[Path], _Holder]
) -> None:
    interrupted, other = holders(home), holders(home)
    server = interrupted.hear()
    assert other.hear() == server

    os.killpg(interrupted.process.pid, signal.SIGINT)
    interrupted.process.wait(timeout=30)

    assert str(_postmaster(home)) == server
    assert other.ask("query") == "workflow_store"
    assert other.ask("stop") == "stopped"


def test_a_fork_that_stops_its_parents_server_does_not_stop_it(home: Path) -> None:
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "import psycopg\n"
        "from workflow_store.embedded import EmbeddedServer\n"
        "server = EmbeddedServer.start(Path(sys.argv[1]))\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    server.stop()\n"
        "    sys.exit(0)\n"
        "print(os.waitpid(child, 0)[1])\n"
        "with psycopg.connect(server.dsn) as connection:\n"
        "    print(*connection.execute('SELECT current_user').fetchone())\n"
        "server.stop()\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, str(home)],
        capture_output=True,
        text=True,
        cwd=_CHECKOUT,
        env=_ENVIRONMENT,
        check=False,
    )

    assert (done.stdout, done.returncode) == ("0\nworkflow_store\n", 0), done.stderr
    assert _postmaster(home) is None


def test_two_holds_of_one_process_count_as_two_and_stopping_twice_does_nothing(home: Path) -> None:
    first, second = EmbeddedServer.start(home), EmbeddedServer.start(home)
    first.stop()
    first.stop()

    assert _postmaster(home) is not None
    second.stop()
    assert _postmaster(home) is None
    assert repr(first).endswith("stopped>")


def test_a_killed_first_start_leaves_no_half_made_cluster(place: Path, holders: Callable[[Path], _Holder]) -> None:
    home = place / "half"
    killed = holders(home)
    _until(lambda: any(home.glob("init-*.tmp/data/*")))
    killed.end()
    assert not (home / "data").exists()

    with EmbeddedServer.start(home, options={"fsync": "off"}) as server, psycopg.connect(server.dsn) as connection:
        checksums = connection.execute("SHOW data_checksums").fetchone()

    assert checksums == ("on",)

    # The killed start's initdb may have outlived it for a moment; a later start removes what it wrote then.
    def is_clean() -> bool:
        EmbeddedServer.start(home).stop()
        return not any(home.glob("init-*.tmp"))

    _until(is_clean)


def test_it_is_durable_unless_told_otherwise_and_listens_on_no_network(home: Path) -> None:
    names = ("fsync", "full_page_writes", "synchronous_commit", "listen_addresses", "server_encoding", "TimeZone")
    with EmbeddedServer.start(home) as server, psycopg.connect(server.dsn) as connection:
        shown = {name: connection.execute(f"SHOW {name}").fetchone() for name in names}
        locale = connection.execute(
            "SELECT datlocprovider, datlocale, lower('ÉПРИВЕТ') FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    with (
        EmbeddedServer.start(home, options={"fsync": "off", "work_mem": "7MB"}) as server,
        psycopg.connect(server.dsn) as connection,
    ):
        told = (connection.execute("SHOW fsync").fetchone(), connection.execute("SHOW work_mem").fetchone())

    assert shown == {
        "fsync": ("on",),
        "full_page_writes": ("on",),
        "synchronous_commit": ("on",),
        "listen_addresses": ("",),
        "server_encoding": ("UTF8",),
        "TimeZone": ("UTC",),
    }
    assert locale == ("b", "C.UTF-8", "éпривет")
    assert told == (("off",), ("7MB",))


def test_trigrams_know_letters_that_are_not_latin(home: Path) -> None:
    with EmbeddedServer.start(home) as server, psycopg.connect(server.dsn) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        similar = connection.execute("SELECT similarity('привет', 'Привет мир') > 0.3").fetchone()

    assert similar == (True,)


def test_another_role_needs_its_password(home: Path) -> None:
    with EmbeddedServer.start(home) as server:
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute("DROP ROLE IF EXISTS guest")
            connection.execute("CREATE ROLE guest LOGIN PASSWORD 'open sesame'")
        as_guest = server.dsn.replace("workflow_store@", "guest@", 1)

        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(as_guest, password="wrong")
        with psycopg.connect(as_guest, password="open sesame") as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("guest",)


def test_a_server_that_does_not_start_says_why_and_leaves_no_hold(home: Path) -> None:
    with pytest.raises(EmbeddedError, match=r"did not start(.|\n)*no_such_setting"):
        EmbeddedServer.start(home, options={"no_such_setting": "1"})

    with EmbeddedServer.start(home):
        assert _postmaster(home) is not None
    assert _postmaster(home) is None


def test_a_server_without_a_usable_database_is_stopped_again(home: Path) -> None:
    with EmbeddedServer.start(home), psycopg.connect(dsn(home / "run", "postgres"), autocommit=True) as connection:
        connection.execute("ALTER DATABASE workflow_store ALLOW_CONNECTIONS false")
        try:
            with pytest.raises(EmbeddedError, match="the database workflow_store could not be made"):
                EmbeddedServer.start(home)
            assert _postmaster(home) is not None, "the other hold keeps it"
        finally:
            connection.execute("ALTER DATABASE workflow_store ALLOW_CONNECTIONS true")
            connection.execute("ALTER DATABASE workflow_store RENAME TO put_aside")
    assert _postmaster(home) is None

    with EmbeddedServer.start(home), psycopg.connect(dsn(home / "run", "postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE workflow_store")
        connection.execute("ALTER DATABASE put_aside RENAME TO workflow_store")


def test_a_frozen_server_is_an_error_by_the_deadline(home: Path) -> None:
    with EmbeddedServer.start(home):
        pid = _postmaster(home)
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            with pytest.raises(EmbeddedError, match="does not answer in time"):
                EmbeddedServer.start(home, timeout=2)
            took = time.monotonic() - began
        finally:
            os.kill(pid, signal.SIGCONT)

    assert took < 6
    assert _postmaster(home) is None


def test_a_start_lock_that_stays_taken_is_an_error_by_the_deadline(home: Path) -> None:
    import fcntl

    with (home / "start.lock").open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(EmbeddedError, match="still starting or stopping"):
            EmbeddedServer.start(home, timeout=0.3)


async def test_a_cancelled_open_leaks_no_hold(home: Path) -> None:
    for wait in (0.0, 0.05, 0.15, 0.3):
        task = asyncio.create_task(EmbeddedServer.open(home))
        await asyncio.sleep(wait)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await (await task).aclose()

    async with await EmbeddedServer.open(home) as server:
        assert server.describe().startswith("workflow-store: using the embedded PostgreSQL ")
    await asyncio.to_thread(_until, lambda: _postmaster(home) is None)


async def test_a_hold_that_arrives_as_its_caller_is_cancelled_is_given_up(home: Path) -> None:
    task = asyncio.create_task(EmbeddedServer.open(home))
    await asyncio.sleep(0.01)
    # The loop is kept busy until the hold is there, so that the cancellation is seen before it.
    _until(lambda: _answers(home))
    time.sleep(0.5)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task

    await asyncio.to_thread(_until, lambda: _postmaster(home) is None)


async def test_a_cancelled_close_still_gives_the_hold_up(home: Path) -> None:
    server = await EmbeddedServer.open(home)
    task = asyncio.create_task(server.aclose())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task

    await asyncio.to_thread(_until, lambda: _postmaster(home) is None)


def test_a_long_path_and_odd_letters_get_a_short_socket_that_is_remembered(place: Path) -> None:
    home = place / ("long '$HOME\" `é` " + "x" * 60) / ("y" * 60)
    with EmbeddedServer.start(home, options={"fsync": "off"}) as server:
        with psycopg.connect(server.dsn) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        socket_dir = Path((home / "socket-dir").read_text())
        first = server.dsn
    try:
        with EmbeddedServer.start(home, options={"fsync": "off"}) as server:
            assert server.dsn == first
        assert len(str(socket_dir)) < 90
        assert stat.S_IMODE(socket_dir.stat().st_mode) == 0o700
        assert socket_dir.stat().st_uid == (home / "data").stat().st_uid
    finally:
        shutil.rmtree(socket_dir)


def test_no_permission_of_a_folder_that_existed_is_changed(place: Path) -> None:
    above = place / "above"
    above.mkdir()
    above.chmod(0o711)
    watched = [place, *place.parents, above, bin_dir(), *bin_dir().parents]
    before = {folder: (folder.stat().st_mode, folder.stat().st_uid, folder.stat().st_gid) for folder in watched}

    with EmbeddedServer.start(above / "new" / "home", options={"fsync": "off"}) as server:
        assert stat.S_IMODE(server.cluster.stat().st_mode) == 0o700

    assert {folder: (folder.stat().st_mode, folder.stat().st_uid, folder.stat().st_gid) for folder in watched} == before
    assert stat.S_IMODE((above / "new" / "home" / "run").stat().st_mode) == 0o700


def test_roots_server_refuses_a_folder_behind_a_closed_one_and_leaves_it_closed(place: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root's server runs as another user")
    closed = place / "closed"
    closed.mkdir(mode=0o700)

    with pytest.raises(EmbeddedUnavailable, match=f"can't enter {closed};"):
        EmbeddedServer.start(closed / "home")

    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert not any(closed.iterdir())


def test_a_plain_user_runs_a_server_of_its_own(place: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("not root: every other test here runs as a plain user")
    import pwd

    user = pwd.getpwnam("nobody")
    user_home = place / "nobody"
    user_home.mkdir(mode=0o700)
    os.chown(user_home, user.pw_uid, user.pw_gid)
    site_packages = bin_dir().parents[2]
    environment = {
        "PATH": os.defpath,
        "HOME": str(user_home),
        "PYTHONPATH": f"{_CHECKOUT}:{site_packages}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    system = f"/usr/bin/python3.{sys.version_info.minor}"
    for python in (sys.executable, system):
        with suppress(OSError):
            probe = subprocess.run(
                [python, "-c", "import workflow_store.embedded, psycopg"],
                env=environment,
                cwd="/",
                user=user.pw_uid,
                group=user.pw_gid,
                extra_groups=[],
                capture_output=True,
                check=False,
            )
            if probe.returncode == 0:
                break
    else:
        pytest.skip(f"a plain user can run neither {sys.executable} nor {system} with this environment's packages")
    script = (
        "import os, psycopg\n"
        "from workflow_store.embedded import EmbeddedServer, default_data_dir\n"
        "with EmbeddedServer.start() as server:\n"
        "    assert server.data_dir == default_data_dir().resolve(), server.data_dir\n"
        "    assert server.cluster.stat().st_uid == os.geteuid()\n"
        "    with psycopg.connect(server.dsn) as connection:\n"
        "        print(*connection.execute('SELECT current_user').fetchone())\n"
    )

    done = subprocess.run(
        [python, "-c", script],
        env=environment,
        cwd="/",
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr, done.returncode) == ("workflow_store\n", "", 0)
    home = user_home / ".local" / "share" / "workflow-store"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert _postmaster(home) is None
