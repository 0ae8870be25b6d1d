"""The images of the deployment, built once, and its services, up and running."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.deploy.project import IMAGES, Project


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def project(python_image: None) -> Iterator[Project]:
    """Everything but what only a registry has, up and running."""
    project = Project(POSTGRES_PASSWORD="choice-" + secrets.token_hex(6), BACKUP_SCHEDULE="* * * * *")
    try:
        project.run("build", "app", "pgbouncer", profile="production")
        project.run("up", "-d", "database", "pgbouncer", "backup", profile="production")
        project.app("db", "init")
        yield project
    finally:
        project.compose("down", "--volumes", "--timeout", "5", profile="production")
