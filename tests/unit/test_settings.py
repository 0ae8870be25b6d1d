"""Settings: where they come from, which one wins, and that none shows a secret."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from workflow_store.errors import SettingsError
from workflow_store.settings import Settings, settings_file

CANARY = "canary-7f3a"
DSN = f"postgresql://user:{CANARY}@host/db"
PLACES = ("data_dir", "media_dir", "backup_dir", "compose_file")
URLS = ("media_url", "backup_url")
LISTS = {"media_content_types": '["7"]', "compose_profiles": '["7"]'}

Write = Callable[[str | bytes], Path]


@pytest.fixture(autouse=True)
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes the settings file; it is empty at first, and no other variable is set."""
    for name in list(os.environ):
        if name.upper().startswith("WORKFLOW_STORE_"):
            monkeypatch.delenv(name)
    path = tmp_path / "settings.toml"
    path.touch()
    monkeypatch.setenv("WORKFLOW_STORE_SETTINGS_FILE", str(path))

    def to_file(text: str | bytes) -> Path:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return to_file


def refusal(**overrides: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.load(**overrides)
    return str(caught.value)


def secret(settings: Settings) -> str | None:
    return None if settings.dsn is None else settings.dsn.get_secret_value()


def test_without_any_source_the_defaults_hold() -> None:
    settings = Settings.load()

    assert settings.dsn is None
    assert settings.admin_dsn is None
    assert settings.data_dir is None
    assert (settings.pool_min_size, settings.pool_max_size) == (10, 30)
    assert (settings.acquire_timeout, settings.max_lifetime) == (30.0, 3600.0)
    assert (settings.max_document_bytes, settings.max_json_depth) == (16 * 1024 * 1024, 512)


def test_every_setting_has_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, str] = {}
    for name, value in Settings.load().model_dump().items():
        if isinstance(value, bool | str):
            continue
        given[name] = {**dict.fromkeys(("dsn", "admin_dsn"), DSN), **dict.fromkeys(URLS, "s3://7"), **LISTS}.get(
            name, "7"
        )
        monkeypatch.setenv(f"WORKFLOW_STORE_{name.upper()}", given[name])

    settings = Settings.load()

    assert len(given) > 12
    assert secret(settings) == DSN
    assert {getattr(settings, name) for name in PLACES} == {Path("7")}
    assert {getattr(settings, name).get_secret_value() for name in URLS} == {"s3://7"}
    assert {getattr(settings, name) for name in LISTS} == {("7",)}
    assert settings.connect_timeout == 7.0
    for name in given.keys() - {"dsn", "admin_dsn", *PLACES, *URLS, *LISTS}:
        assert getattr(settings, name) == 7, name


def test_the_variable_wins_over_the_file_and_the_override_over_both(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("pool_max_size = 11\nbatch_size = 12\nconnect_timeout = 13\n")
    monkeypatch.setenv("WORKFLOW_STORE_BATCH_SIZE", "22")
    monkeypatch.setenv("WORKFLOW_STORE_CONNECT_TIMEOUT", "23")

    settings = Settings.load(connect_timeout=33)

    assert (settings.pool_max_size, settings.batch_size, settings.connect_timeout) == (11, 22, 33.0)


def test_an_override_of_none_takes_a_setting_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKFLOW_STORE_DSN", DSN)

    assert secret(Settings.load()) == DSN
    assert Settings.load(dsn=None).dsn is None


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_variable_is_none(write: Write, monkeypatch: pytest.MonkeyPatch, empty: str) -> None:
    write(f'dsn = "{DSN}"\ndata_dir = "/somewhere"\n')
    for name in ("DSN", "ADMIN_DSN", "DATA_DIR"):
        monkeypatch.setenv(f"WORKFLOW_STORE_{name}", empty)

    settings = Settings.load()

    assert (settings.dsn, settings.admin_dsn, settings.data_dir) == (None, None, None)


def test_the_file_may_lie_where_the_platform_keeps_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKFLOW_STORE_SETTINGS_FILE")

    assert settings_file().name == "settings.toml"
    assert settings_file().parent.name == "workflow-store"


def test_unknown_overrides_are_refused_by_name() -> None:
    assert refusal(pool_maximum=3, dns=DSN) == "no such setting: dns, pool_maximum"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pool_min_size", -1),
        ("pool_max_size", 0),
        ("pool_max_size", "many"),
        ("connect_timeout", 0),
        ("connect_timeout", float("inf")),
        ("acquire_timeout", float("nan")),
        ("command_timeout", "soon"),
        ("batch_size", 10_001),
        ("ingest_connections", 65),
        ("max_document_bytes", 2**40),
        ("max_json_depth", 801),
        ("nul", "keep"),
        ("compression", "zip"),
        ("data_dir", 5),
        ("dsn", 5),
        ("dsn", "host=localhost"),
        ("admin_dsn", "mysql://host/db"),
    ],
)
def test_a_value_that_can_not_be_used_is_refused_by_the_name_of_its_variable(name: str, value: object) -> None:
    assert refusal(**{name: value}).startswith(f"WORKFLOW_STORE_{name.upper()}: ")


def test_all_bad_values_are_named_at_once() -> None:
    said = refusal(pool_max_size=0, batch_size=0)

    assert "WORKFLOW_STORE_POOL_MAX_SIZE: " in said
    assert "WORKFLOW_STORE_BATCH_SIZE: " in said


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_a_uri_of_either_scheme_is_taken(scheme: str) -> None:
    assert secret(Settings.load(dsn=f"{scheme}://host/db")) == f"{scheme}://host/db"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("pool_max_size = ", "TOMLDecodeError"),
        (b'dsn = "\xff"', "UnicodeDecodeError"),
        ("pool_max_size = 0", "WORKFLOW_STORE_POOL_MAX_SIZE"),
    ],
)
def test_a_bad_file_is_refused(write: Write, text: str | bytes, reason: str) -> None:
    path = write(text)

    said = refusal()

    assert reason in said
    assert str(path) in said or said.startswith("WORKFLOW_STORE_")


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings.load().batch_size = 5  # type: ignore[misc]


def shown(error: BaseException) -> str:
    """All that a traceback can tell, the locals of every frame included, but for this module's own frames."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    lines: list[str] = []
    cause: traceback.TracebackException | None = told
    while cause is not None:
        lines += [str(cause), *cause.format_exception_only()]
        lines += [f"{frame.name} {frame.locals}" for frame in cause.stack if frame.filename != __file__]
        cause = cause.__cause__ or cause.__context__
    return "\n".join(lines)


def test_no_secret_is_shown_by_settings() -> None:
    settings = Settings.load(dsn=DSN, admin_dsn=DSN)

    for text in (repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump())):
        assert CANARY not in text


@pytest.mark.parametrize(
    "overrides",
    [
        {"dsn": f"mysql://user:{CANARY}@host"},
        {"dsn": DSN, "pool_max_size": 0},
        {"dsn": [CANARY]},
        {"admin_dsn": f" {DSN}"},
        {"dns": DSN},
        {"data_dir": [CANARY]},
        {"pool_max_size": CANARY},
    ],
)
def test_no_secret_is_shown_by_a_refusal(overrides: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load(**overrides)

    assert CANARY not in shown(caught.value)
    assert "load" in shown(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        f'dsn = "{CANARY}',
        f'dsn = "postgresql://u:{CANARY}@h" x',
        f"dsn = {CANARY}",
        f'dsn = "mysql://u:{CANARY}@h"',
        f'dsn = ["{CANARY}"]',
        f'[dsn]\n{CANARY} = "{CANARY}"',
    ],
)
def test_no_secret_of_the_file_is_shown_by_a_refusal(write: Write, text: str) -> None:
    write(text)

    with pytest.raises(SettingsError) as caught:
        Settings.load()

    assert CANARY not in shown(caught.value)


def test_no_secret_of_a_variable_is_shown_by_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKFLOW_STORE_DSN", f"mysql://user:{CANARY}@host")

    with pytest.raises(SettingsError) as caught:
        Settings.load()

    assert CANARY not in shown(caught.value)


def test_no_secret_is_shown_where_the_class_is_called_itself() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(dsn=f"mysql://user:{CANARY}@host")  # type: ignore[arg-type]

    assert CANARY not in str(caught.value)


def test_a_named_file_that_is_not_there_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for missing in (tmp_path / "no such file", tmp_path):
        monkeypatch.setenv("WORKFLOW_STORE_SETTINGS_FILE", str(missing))

        assert refusal() == f"WORKFLOW_STORE_SETTINGS_FILE: there is no file {missing}"


def test_no_file_can_be_named_by_dev_null(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKFLOW_STORE_SETTINGS_FILE", os.devnull)

    assert Settings.load().batch_size == 250


def test_no_secret_is_shown_where_the_named_file_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKFLOW_STORE_SETTINGS_FILE", "/no such file")

    with pytest.raises(SettingsError) as caught:
        Settings.load(dsn=DSN)

    assert CANARY not in shown(caught.value)
