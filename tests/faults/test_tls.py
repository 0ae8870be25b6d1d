"""TLS with a real server: who is let in, and who is told why not. The server is one of Debian's, which has OpenSSL."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.ports import free_port
from tests.records import small_workflow
from workflow_store import Settings, WorkflowStore, schema
from workflow_store.embedded.account import Account, server_account
from workflow_store.errors import ServerUnavailable, StoreError

PASSWORD = "of-a-tls-server"
NAME = "db.example.test"
_DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class TlsServer:
    """A server that takes TLS on loopback, and nothing else over TCP from anybody but for ``plain``."""

    port: int
    folder: Path

    def dsn(self, host: str = "localhost", **query: str) -> str:
        options = "&".join(f"{name}={value}" for name, value in query.items())
        return f"postgresql://tester:{PASSWORD}@{host}:{self.port}/postgres?{options}"

    def file(self, name: str) -> str:
        return str(self.folder / name)


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def make_certificates(folder: Path) -> None:
    """An authority, a certificate of it for localhost and NAME, one that has run out, and another authority."""
    for authority in ("ca", "other"):
        openssl(
            folder,
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={authority}"),
            *("-keyout", f"{authority}.key", "-out", f"{authority}.crt"),
        )
    (folder / "names").write_text(f"subjectAltName=DNS:localhost,DNS:{NAME}\n")
    openssl(
        folder,
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=localhost",
        "-keyout",
        "server.key",
        "-out",
        "server.csr",
    )
    for name, days in (("server", "2"), ("expired", "-1")):
        # A negative number of days is refused by newer versions, and the dates that run out are then given as such.
        dates = (
            ("-days", days) if name == "server" else ("-not_before", "20200101000000Z", "-not_after", "20200102000000Z")
        )
        try:
            openssl(
                folder,
                *("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"),
                *(*dates, "-extfile", "names", "-out", f"{name}.crt"),
            )
        except subprocess.CalledProcessError:
            openssl(
                folder,
                *("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"),
                *("-days", "-1", "-extfile", "names", "-out", f"{name}.crt"),
            )


def run_as(account: Account, *command: str | Path) -> None:
    answer = account.run(list(command), timeout=60)
    assert answer.returncode == 0, answer.stderr


@pytest.fixture(scope="module")
def programs() -> Path:
    found = sorted(_DEBIAN.glob("*/bin/postgres"))
    assert found, "Debian's postgresql is needed here: apt-get install postgresql"
    return found[-1].parent


@pytest.fixture(scope="module")
def tls_server(programs: Path) -> Iterator[TlsServer]:
    account = server_account()
    folder = Path(tempfile.mkdtemp(prefix="workflow-store-tls-"))
    data = folder / "data"
    server = TlsServer(free_port(), folder)
    try:
        make_certificates(folder)
        (folder / "password").write_text(PASSWORD)
        for path in (folder, *folder.iterdir()):
            account.own(path)
        run_as(
            account,
            programs / "initdb",
            "-D",
            data,
            "-U",
            "tester",
            "-A",
            "scram-sha-256",
            "--pwfile",
            folder / "password",
        )
        (data / "pg_hba.conf").write_text(
            "hostssl all all 127.0.0.1/32 scram-sha-256\nhostssl all all ::1/128 scram-sha-256\n"
        )
        with (data / "postgresql.conf").open("a") as conf:
            conf.write(
                f"listen_addresses = '127.0.0.1'\nport = {server.port}\nunix_socket_directories = ''\nssl = on\n"
                f"ssl_cert_file = '{folder}/server.crt'\nssl_key_file = '{folder}/server.key'\nfsync = off\n"
            )
        run_as(account, programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "start")
        yield server
    finally:
        account.run([programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


def with_certificate(server: TlsServer, name: str) -> None:
    """Make the server show another certificate from now on."""
    with psycopg.connect(server.dsn(sslmode="require"), autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET ssl_cert_file = '{server.folder}/{name}.crt'".encode())
        connection.execute("SELECT pg_reload_conf()")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with psycopg.connect(server.dsn(sslmode="require"), autocommit=True) as connection:
            row = connection.execute("SHOW ssl_cert_file").fetchone()
        if row is not None and row[0].endswith(f"/{name}.crt"):
            return
        time.sleep(0.05)


async def both(dsn: str) -> None:
    """Connect as migrations do, and as the store does."""
    await schema.migrate(dsn, timeout=60)
    async with WorkflowStore.open(Settings.load(dsn=dsn, pool_min_size=1, connect_timeout=5)) as store:
        await store.upsert_workflow(small_workflow("1"))
        assert await store.get_workflow("1") is not None


async def refused(dsn: str, *words: str) -> None:
    """Neither gets in, and each is told why, without the password."""
    for attempt in (schema.migrate(dsn, timeout=60), opened(dsn)):
        with pytest.raises(StoreError) as caught:
            await attempt
        text = str(caught.value)
        assert any(word in text for word in words), text
        assert PASSWORD not in text


async def opened(dsn: str) -> None:
    async with WorkflowStore.open(Settings.load(dsn=dsn, pool_min_size=1, connect_timeout=5)):
        raise AssertionError("it was let in")


async def test_the_right_name_under_the_right_authority_is_let_in(tls_server: TlsServer) -> None:
    await both(tls_server.dsn(sslmode="verify-full", sslrootcert=tls_server.file("ca.crt")))
    await both(tls_server.dsn(sslmode="verify-ca", sslrootcert=tls_server.file("ca.crt")))
    await both(tls_server.dsn(sslmode="require"))


async def test_another_name_is_refused_by_verify_full_alone(tls_server: TlsServer) -> None:
    host = "127.0.0.1"

    await refused(
        tls_server.dsn(host, sslmode="verify-full", sslrootcert=tls_server.file("ca.crt")),
        "IP address mismatch",
        "does not match host name",
        "doesn't match",
    )
    await both(tls_server.dsn(host, sslmode="verify-ca", sslrootcert=tls_server.file("ca.crt")))


async def test_another_authority_is_refused(tls_server: TlsServer) -> None:
    for mode in ("verify-ca", "verify-full"):
        await refused(
            tls_server.dsn(sslmode=mode, sslrootcert=tls_server.file("other.crt")), "certificate verify failed"
        )


async def test_a_certificate_that_has_run_out_is_refused(tls_server: TlsServer) -> None:
    with_certificate(tls_server, "expired")
    try:
        await refused(
            tls_server.dsn(sslmode="verify-full", sslrootcert=tls_server.file("ca.crt")),
            "certificate has expired",
            "certificate verify failed",
        )
    finally:
        with_certificate(tls_server, "server")


async def test_without_tls_the_server_refuses(tls_server: TlsServer) -> None:
    await refused(tls_server.dsn(sslmode="disable"), "no encryption", "SSL off")


async def test_a_server_without_tls_is_refused_where_it_is_asked_for(tls_server: TlsServer) -> None:
    with psycopg.connect(tls_server.dsn(sslmode="require"), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET ssl = off")
        # What is asked for by TLS comes over TLS still; the next connection does not.
        connection.execute("SELECT pg_reload_conf()")
    try:
        for mode in ("require", "verify-full"):
            dsn = tls_server.dsn(sslmode=mode, sslrootcert=tls_server.file("ca.crt"))
            await refused(dsn, "rejected SSL upgrade", "does not support SSL", "server sent an error response")
    finally:
        auto = tls_server.folder / "data" / "postgresql.auto.conf"
        auto.write_text("".join(line for line in auto.read_text().splitlines(True) if not line.startswith("ssl =")))
        pid = int((tls_server.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGHUP)
        _until_tls(tls_server)


def _until_tls(server: TlsServer) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            psycopg.connect(server.dsn(sslmode="require")).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


async def test_a_host_that_is_not_this_machine_has_to_prove_its_name_without_being_asked(
    tls_server: TlsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def lookup(host: Any, *arguments: Any, **options: Any) -> Any:
        return real("127.0.0.1" if host in (NAME, "other.example.test") else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    for name in ("PGSSLMODE", "PGSSLROOTCERT"):
        monkeypatch.delenv(name, raising=False)
    await schema.migrate(tls_server.dsn(sslmode="require"), timeout=60)

    # The machine's own authorities do not know this one.
    with pytest.raises(ServerUnavailable, match=r"certificate verify failed.*has to prove its name"):
        await opened(tls_server.dsn(NAME))
    monkeypatch.setenv("PGSSLROOTCERT", tls_server.file("ca.crt"))
    with pytest.raises(ServerUnavailable, match=r"Hostname mismatch.*has to prove its name"):
        await opened(tls_server.dsn("other.example.test"))
    async with WorkflowStore.open(Settings.load(dsn=tls_server.dsn(NAME), pool_min_size=1)) as store:
        assert await store.ping() > 0
