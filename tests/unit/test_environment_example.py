"""``deploy/env.production.example`` has every setting, and every one of its lines is read."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import pytest

from tests.commands import ROOT
from workflow_store.errors import SettingsError
from workflow_store.settings import Settings

EXAMPLE: Final = (ROOT / "deploy" / "env.production.example").read_text(encoding="utf-8")
COMPOSE: Final = (ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8")
LINES: Final = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
# Of the composed services, and of `db roles`, which asks the environment itself.
OF_COMPOSE: Final = {
    "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "POSTGRES_BIND", "POSTGRES_PORT", "BACKUP_SCHEDULE",
    "JUPYTER_PORT", "JUPYTER_TOKEN",
}  # fmt: skip
OTHERS: Final = OF_COMPOSE | {
    "WORKFLOW_STORE_OWNER_PASSWORD", "WORKFLOW_STORE_WRITER_PASSWORD", "WORKFLOW_STORE_READER_PASSWORD",
}  # fmt: skip
READ: Final = sorted(LINES.keys() - OTHERS)


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("WORKFLOW_STORE_")]:
        monkeypatch.delenv(name)
    (tmp_path / "settings.toml").touch()
    monkeypatch.setenv("WORKFLOW_STORE_SETTINGS_FILE", str(tmp_path / "settings.toml"))


def field_of(variable: str) -> str:
    return variable.removeprefix("WORKFLOW_STORE_").lower()


def test_it_has_every_setting_and_nothing_else() -> None:
    assert [field_of(name) for name in LINES if name not in OTHERS] == list(Settings.model_fields)
    assert LINES.keys() >= OTHERS


def test_what_is_not_a_setting_is_read_by_compose_with_the_same_default() -> None:
    read = dict(re.findall(r"\$\{([A-Z_]+):[-?]([^}]*)\}", COMPOSE))

    for name in OF_COMPOSE - {"POSTGRES_PASSWORD"}:
        assert read[name] == LINES[name], name


def test_there_is_no_default_password() -> None:
    assert {value for name, value in LINES.items() if "PASSWORD" in name} == {""}


@pytest.mark.parametrize("variable", READ)
def test_a_line_as_it_stands_is_the_default(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    default = getattr(Settings.load(), field_of(variable))
    if LINES[variable]:
        monkeypatch.setenv(variable, LINES[variable])

    assert getattr(Settings.load(), field_of(variable)) == default
    assert (LINES[variable] == "") is (default is None)


@pytest.mark.parametrize("variable", READ)
def test_a_line_that_is_changed_is_read(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = getattr(Settings.load(), field_of(variable))
    monkeypatch.setenv(variable, "not what it was")
    try:
        read = getattr(Settings.load(), field_of(variable)) != before
    except SettingsError as error:
        read = variable in str(error)

    assert read
