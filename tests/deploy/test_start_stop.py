"""``workflow-store start`` and ``stop`` where they are for the services of the compose file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.commands import ROOT
from tests.deploy.project import COMPOSE, Project


@pytest.fixture
def stopped(project: Project) -> Iterator[Project]:
    """The same images, under another name."""
    another = Project(POSTGRES_PASSWORD=project.password)
    yield another
    another.compose("down", "--volumes", "--timeout", "5", profile="production")


def command(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = {"WORKFLOW_STORE_COMPOSE_FILE": str(COMPOSE), "WORKFLOW_STORE_COMPOSE_PROFILES": '["production"]'}
    return subprocess.run(
        [sys.executable, "-m", "workflow_store", *arguments, "--json"],
        cwd=ROOT,
        env={**project.environment, **settings, "WORKFLOW_STORE_SETTINGS_FILE": os.devnull},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_they_are_started_until_healthy_and_stopped_after_a_backup(stopped: Project) -> None:
    started = command(stopped, "start")
    again = command(stopped, "start")
    stopped.app("db", "init")
    ended = command(stopped, "stop", "--backup")
    nothing = command(stopped, "stop")
    stopped.run("up", "-d", "database")
    killed = command(stopped, "stop", "--force")
    backups = json.loads(stopped.app("backup", "list", "--json"))["items"]

    assert started.returncode == 0, started.stderr
    assert set(json.loads(started.stdout)["services"]) >= {"database", "pgbouncer", "backup"}
    assert not json.loads(started.stdout)["was_running"]
    assert json.loads(again.stdout)["was_running"]
    assert json.loads(ended.stdout)["backup"] == backups[0]["name"]
    assert not json.loads(ended.stdout)["is_running"]
    assert (nothing.returncode, json.loads(nothing.stdout)["was_running"]) == (0, False)
    assert (killed.returncode, json.loads(killed.stdout)["services"]) == (0, ["database"])


def test_what_can_not_be_started_is_said_in_the_words_of_compose(stopped: Project) -> None:
    stopped.environment["POSTGRES_IMAGE"] = "workflow-store-of-nobody:nowhere"

    failed = command(stopped, "start", "--timeout", "120")

    assert failed.returncode == 3
    assert "ended with code 1" in json.loads(failed.stdout)["error"]["message"]
    assert "Traceback" not in failed.stderr
