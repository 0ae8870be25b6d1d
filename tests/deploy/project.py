"""The services of ``deploy/``, under a name of their own."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Sequence
from typing import Any

from tests.commands import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
IMAGES = {
    "APP_IMAGE": "workflow-store-app:test",
    "PYTHON_IMAGE": "workflow-store-python:here",
    "POSTGRES_IMAGE": "workflow-store-postgres:17",
    "PGBOUNCER_IMAGE": "workflow-store-deployed-pgbouncer:test",
    "PGBACKREST_IMAGE": "workflow-store-pgbackrest:test",
    "JUPYTER_IMAGE": "workflow-store-jupyter:test",
    "DEBIAN_IMAGE": "workflow-store-debian:trixie",
}


class Project:
    """The services under a name of their own, at ports that are free.

    Attributes:
        environment: what compose is started with.
        password: of the database.
    """

    def __init__(self, *, files: Sequence[str] = ("compose.yaml",), **variables: str) -> None:
        self._files = [word for file in files for word in ("-f", str(DEPLOY / file))]
        self.password = variables.get("POSTGRES_PASSWORD", "")
        self.name = f"workflow-store-{secrets.token_hex(4)}"
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        ports = dict.fromkeys(("POSTGRES_PORT", "JUPYTER_PORT"), "0")
        self.environment = {**kept, **IMAGES, **ports, "COMPOSE_PROJECT_NAME": self.name, **variables}

    def compose(self, *arguments: str, profile: str = "", timeout: float = 1200) -> subprocess.CompletedProcess[str]:
        command = ["docker-compose", *self._files, *(["--profile", profile] if profile else []), *arguments]
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

    def store(self, workflow_id: str) -> None:
        """Ingest a workflow in the application's container."""
        document = json.dumps({"id": workflow_id, "name": workflow_id, "nodes": [], "connections": {}})
        ingest = "workflow-store ingest --json --id-from workflow /tmp/one.json"
        script = f"printf '%s' '{document}' >/tmp/one.json && {ingest}"
        stored = self.run("run", "--rm", "-T", "--entrypoint", "sh", "app", "-c", script)
        assert json.loads(stored)["inserted"] == 1

    def inspect(self, service: str) -> dict[str, Any]:
        container = self.run("ps", "-q", service, profile="production").strip()
        found = subprocess.run(["docker", "inspect", container], capture_output=True, text=True, check=True)
        (document,) = json.loads(found.stdout)
        return dict(document)
