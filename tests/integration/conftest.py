"""The server of the commands that a test runs."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


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
