"""pgBackRest as ``deploy/`` sets it up: the data is destroyed, and had back as of a moment between two writes."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator

import pytest

from tests.deploy.project import Project


@pytest.fixture
def site(python_image: None) -> Iterator[Project]:
    site = Project(
        POSTGRES_PASSWORD="choice-" + secrets.token_hex(6), files=("compose.yaml", "compose.pgbackrest.yaml")
    )
    try:
        site.run("build", "database", "app")
        site.run("up", "-d", "database")
        yield site
    finally:
        site.compose("down", "--volumes", "--timeout", "5")


def pgbackrest(site: Project, *arguments: str) -> str:
    return site.run("exec", "-T", "-u", "postgres", "database", "pgbackrest", "--stanza=store", *arguments)


def asked(site: Project, statement: str) -> str:
    command = ("psql", "-U", "workflow_store", "-d", "workflow_store", "-At", "-c", statement)
    return site.run("exec", "-T", "database", *command).strip()


def test_a_destroyed_database_is_had_back_as_of_a_moment(site: Project) -> None:
    site.app("db", "init")
    pgbackrest(site, "stanza-create")
    pgbackrest(site, "check")
    site.app("demo", "--count", "200")
    pgbackrest(site, "--type=full", "backup")
    site.store("before")
    moment = asked(site, "SELECT clock_timestamp()")
    site.store("after")
    # The end of the log: what is not handed over can't be had back.
    pgbackrest(site, "check")
    site.run("stop", "database")
    site.run(
        "run", "--rm", "-T", "--no-deps", "--entrypoint", "sh", "database", "-c", "rm -rf /var/lib/postgresql/data/*"
    )

    restore = ("--stanza=store", "--type=time", f"--target={moment}", "--target-action=promote", "restore")
    site.run("run", "--rm", "-T", "--no-deps", "-u", "postgres", "database", "pgbackrest", *restore)
    site.run("up", "-d", "database")
    count = json.loads(site.app("count", "--json"))["total"]
    before = json.loads(site.app("get", "before", "--json"))["workflow_id"]
    after = site.compose("run", "--rm", "-T", "app", "get", "after")
    pgbackrest(site, "--type=incr", "backup")
    pgbackrest(site, "verify")
    (info,) = json.loads(pgbackrest(site, "--output=json", "info"))

    assert (count, before) == (201, "before")
    assert after.returncode == 1
    assert info["status"]["message"] == "ok"
    assert [backup["type"] for backup in info["backup"]] == ["full", "incr"]
    assert asked(site, "SHOW archive_mode") == "on"
    assert asked(site, "SHOW shared_buffers") == "256MB"
