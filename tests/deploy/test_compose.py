"""The deployment as it stands in ``deploy/``: composed, built from Debian's packages, started and used."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.commands import ROOT

COMPOSE = ROOT / "deploy" / "compose.yaml"
PASSWORD = "choice-" + secrets.token_hex(6)
IMAGES = {
    "APP_IMAGE": "workflow-store-app:test",
    "PYTHON_IMAGE": "workflow-store-python:here",
    "POSTGRES_IMAGE": "workflow-store-postgres:17",
    "PGBOUNCER_IMAGE": "workflow-store-deployed-pgbouncer:test",
    "DEBIAN_IMAGE": "workflow-store-debian:trixie",
}


class Project:
    """The services under a name of their own, at a port that is free."""

    def __init__(self, **variables: str) -> None:
        self.name = f"workflow-store-{secrets.token_hex(4)}"
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.environment = {**kept, **IMAGES, "POSTGRES_PORT": "0", "COMPOSE_PROJECT_NAME": self.name, **variables}

    def compose(self, *arguments: str, profile: str = "", timeout: float = 300) -> subprocess.CompletedProcess[str]:
        command = ["docker-compose", "-f", str(COMPOSE), *(["--profile", profile] if profile else []), *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=timeout, check=False
        )

    def run(self, *arguments: str, profile: str = "") -> str:
        """What a command wrote; it has to end well."""
        done = self.compose(*arguments, profile=profile)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def app(self, *arguments: str) -> str:
        return self.run("run", "--rm", "-T", "app", *arguments)

    def inspect(self, service: str) -> dict[str, Any]:
        container = self.run("ps", "-q", service, profile="production").strip()
        found = subprocess.run(["docker", "inspect", container], capture_output=True, text=True, check=True)
        (document,) = json.loads(found.stdout)
        return dict(document)


@pytest.fixture(scope="module")
def python_image(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A base that trusts whom this machine trusts: what packages come from may be known to nobody else."""
    folder = tmp_path_factory.mktemp("base")
    bundle = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    shutil.copy(bundle, folder / "authorities.crt")
    (folder / "Dockerfile").write_text(
        "FROM workflow-store-python:3.13\n"
        "COPY authorities.crt /etc/ssl/authorities.crt\n"
        "ENV PIP_CERT=/etc/ssl/authorities.crt\n"
    )
    subprocess.run(
        ["docker", "build", "--tag", IMAGES["PYTHON_IMAGE"], str(folder)], check=True, capture_output=True, timeout=300
    )


@pytest.fixture(scope="module")
def project(python_image: None) -> Iterator[Project]:
    """Everything but what only a registry has, up and running."""
    project = Project(POSTGRES_PASSWORD=PASSWORD, BACKUP_SCHEDULE="* * * * *")
    try:
        project.run("build", "app", "pgbouncer", profile="production")
        project.run("up", "-d", "database", "pgbouncer", "backup", profile="production")
        project.app("db", "init")
        yield project
    finally:
        project.compose("down", "--volumes", "--timeout", "5", profile="production")


def test_each_profile_has_its_services() -> None:
    # As compose itself writes it: two spaces before a service, four before what it has.
    profiles: dict[str, list[str]] = {}
    section = service = key = ""
    for line in Project(POSTGRES_PASSWORD=PASSWORD).run("config").splitlines():
        text = line.strip()
        match len(line) - len(line.lstrip()):
            case 0:
                section = text
            case 2 if section == "services:":
                service = text.rstrip(":")
                profiles[service] = []
            case 4 if section == "services:" and text.startswith("- ") and key == "profiles:":
                profiles[service].append(text.removeprefix("- "))
            case 4:
                key = text

    assert profiles == {
        "database": [],
        "app": [],
        "pgbouncer": ["production"],
        "backup": ["production"],
        "pgadmin": ["dev"],
    }


@pytest.mark.parametrize("variables", [{}, {"POSTGRES_PASSWORD": ""}])
def test_without_a_password_nothing_starts(variables: dict[str, str]) -> None:
    refused = Project(**variables).compose("config", "-q")

    assert refused.returncode != 0
    assert "choose a password" in refused.stderr


def test_the_application_stores_and_reads_by_the_database_of_the_project(project: Project) -> None:
    document = '{"id": "1", "name": "One", "nodes": [], "connections": {}}'
    script = f"printf '%s' '{document}' >/tmp/one.json && workflow-store ingest --json /tmp/one.json"
    stored = project.run("run", "--rm", "-T", "--entrypoint", "sh", "app", "-c", script)

    assert json.loads(stored)["inserted"] == 1
    assert json.loads(project.app("count", "--json"))["total"] == 1


def test_the_tuning_counts(project: Project) -> None:
    shown = project.run(
        "exec", "-T", "database", "psql", "-U", "workflow_store", "-d", "workflow_store", "-At",
        "-c", "SELECT name || '=' || setting FROM pg_settings WHERE name IN "
        "('shared_buffers', 'summarize_wal', 'fsync', 'shared_preload_libraries', 'data_checksums')",
    )  # fmt: skip

    assert set(shown.split()) == {
        "shared_buffers=32768",
        "summarize_wal=on",
        "fsync=on",
        "shared_preload_libraries=pg_stat_statements",
        "data_checksums=on",
    }


def test_nobody_is_root_but_who_has_to_be_and_memory_is_limited(project: Project) -> None:
    assert project.inspect("database")["HostConfig"]["Memory"] == 1024**3
    assert project.inspect("pgbouncer")["Config"]["User"] == "postgres"
    assert project.inspect("backup")["HostConfig"]["NanoCpus"] == 10**9
    who = project.run("run", "--rm", "-T", "--entrypoint", "id", "app", "-un")
    assert who.strip() == "workflow-store"


def test_the_pooler_leads_to_the_store(project: Project) -> None:
    dsn = f"postgresql://workflow_store:{PASSWORD}@pgbouncer:6432/workflow_store?sslmode=disable"
    counted = project.run("run", "--rm", "-T", "-e", f"WORKFLOW_STORE_DSN={dsn}", "app", "count", "--json")

    assert json.loads(counted)["total"] >= 0


def test_a_backup_is_made_by_the_clock_and_the_store_is_healthy_then(project: Project) -> None:
    deadline = time.monotonic() + 150
    while "made " not in (said := project.run("logs", "--no-color", "backup", profile="production")):
        assert time.monotonic() < deadline, said
        time.sleep(2)
    backups = json.loads(project.app("backup", "list", "--json"))["items"]
    verified = project.app("backup", "verify", "--latest")
    health = json.loads(project.app("health", "--json"))

    assert len(backups) == 1
    assert PASSWORD not in said + verified
    assert health["overall_status"] in {"healthy", "degraded"}
    assert health["checks"]["backup"]["status"] == "healthy"
