"""The server of the commands that a test runs."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.backed_up import names_of_databases


@pytest.fixture
def dsn(database_dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """URI of a migrated database, which the commands work on; their media files lie in ``tmp_path / "media"``."""
    for name in ("WORKFLOW_STORE_ADMIN_DSN", "WORKFLOW_STORE_DATA_DIR", "WORKFLOW_STORE_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    settings = tmp_path.parent / f"{tmp_path.name}-settings.toml"
    settings.touch()
    monkeypatch.setenv("WORKFLOW_STORE_SETTINGS_FILE", str(settings))
    monkeypatch.setenv("WORKFLOW_STORE_MEDIA_DIR", str(tmp_path / "media"))
    monkeypatch.setenv("WORKFLOW_STORE_DSN", database_dsn)
    return database_dsn


@pytest.fixture(params=["COPY", "one statement"])
def creating(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is new goes in by COPY, however few they are; or, where they are few, in one statement."""
    if request.param == "COPY":
        monkeypatch.setattr("workflow_store.ingest.creation._FEW", 0)


@pytest.fixture
def data_dir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder that does not exist yet, and no other server; the embedded one makes it as its own account."""
    for name in ("WORKFLOW_STORE_DSN", "WORKFLOW_STORE_ADMIN_DSN"):
        monkeypatch.delenv(name, raising=False)
    folder = Path(tempfile.gettempdir()) / f"workflow-store-{secrets.token_hex(4)}"
    monkeypatch.setenv("WORKFLOW_STORE_DATA_DIR", str(folder))
    yield folder
    for leftover in folder.parent.glob(f"{folder.name}*"):
        shutil.rmtree(leftover, ignore_errors=True)


@pytest.fixture
async def no_database_is_left_behind(workflow_store_server: Any) -> AsyncIterator[None]:
    """Databases that a test left on the server, as a restore does, are removed."""
    before = await names_of_databases(workflow_store_server.dsn)
    yield
    for name in await names_of_databases(workflow_store_server.dsn) - before:
        workflow_store_server.drop_database(name)
