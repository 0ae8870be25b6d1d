"""The deployment as it stands in ``deploy/``: composed, built from Debian's packages, started and used."""

from __future__ import annotations

import json
import time

import pytest

from tests.deploy.project import Project


def test_each_profile_has_its_services() -> None:
    # As compose itself writes it: two spaces before a service, four before what it has.
    profiles: dict[str, list[str]] = {}
    section = service = key = ""
    for line in Project(POSTGRES_PASSWORD="chosen").run("config").splitlines():
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
        "jupyter": ["analysis"],
    }


@pytest.mark.parametrize("variables", [{}, {"POSTGRES_PASSWORD": ""}])
def test_without_a_password_nothing_starts(variables: dict[str, str]) -> None:
    refused = Project(**variables).compose("config", "-q")

    assert refused.returncode != 0
    assert "choose a password" in refused.stderr


def test_the_application_stores_and_reads_by_the_database_of_the_project(project: Project) -> None:
    project.store("stored-here")

    assert json.loads(project.app("get", "stored-here", "--json"))["workflow_id"] == "stored-here"


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
    dsn = f"postgresql://workflow_store:{project.password}@pgbouncer:6432/workflow_store?sslmode=disable"
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
    assert project.password not in said + verified
    assert health["overall_status"] in {"healthy", "degraded"}
    assert health["checks"]["backup"]["status"] == "healthy"
