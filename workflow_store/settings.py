"""Settings: ``WORKFLOW_STORE_*`` in the environment, then a settings file, then the defaults."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from workflow_store.errors import SettingsError

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def settings_file() -> Path:
    """``WORKFLOW_STORE_SETTINGS_FILE``, else ``settings.toml`` in the user's configuration folder."""
    named = os.environ.get("WORKFLOW_STORE_SETTINGS_FILE")
    return Path(named) if named else Path(platformdirs.user_config_dir("workflow-store")) / "settings.toml"


def _existing_file() -> Path:
    path = settings_file()
    # Who names a file means what is in it, and not the defaults; /dev/null is how one says that there is none.
    if os.environ.get("WORKFLOW_STORE_SETTINGS_FILE") and not (path.is_file() or path.is_char_device()):
        raise SettingsError(f"WORKFLOW_STORE_SETTINGS_FILE: there is no file {path}")
    return path


class Settings(BaseSettings):
    """How a store connects and what it accepts.

    Every field is read from ``WORKFLOW_STORE_<FIELD>`` and, below that, from the TOML settings file. Times are
    seconds, sizes bytes.
    """

    # A refusal of pydantic's own would show the value, which may hold a password.
    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix="WORKFLOW_STORE_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    dsn: SecretStr | None = None
    """Connection URI of the server; without one the embedded server is used."""
    admin_dsn: SecretStr | None = None
    """A direct connection for migrations; without one, ``dsn``."""
    data_dir: Path | None = None
    """Data of the embedded server; without one, the platform's user data folder."""

    pool_min_size: Annotated[int, Field(ge=0)] = 10
    """Connections that are kept open."""
    pool_max_size: Annotated[int, Field(ge=1)] = 30
    """Connections that are open at most."""
    connect_timeout: Seconds = 10.0
    """For a new connection; several hosts share it."""
    acquire_timeout: Seconds = 30.0
    """For a connection of the pool to become free."""
    command_timeout: Seconds = 60.0
    """For the answer to one statement, where a call has no ``timeout`` of its own that ends sooner."""
    release_timeout: Seconds = 0.5
    """For a statement that was given up to end, and its transaction; then the connection is terminated."""
    close_timeout: Seconds = 4.0
    """For connections that are in use to come back when the store is closed; then they are terminated."""
    retry_timeout: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 30.0
    """For how long an ingest and a writer try again while the server is away."""
    max_lifetime: Seconds = 3600.0
    """A connection older than this is replaced when it comes back to the pool."""
    max_idle: Seconds = 600.0
    """A connection idle for longer is closed, down to ``pool_min_size``."""

    leak_report_after: Seconds | None = None
    """A connection that is held for longer is reported in the log, with the place where it was taken."""
    statement_cache_size: Annotated[int, Field(ge=0)] = 100
    """Prepared statements that a connection keeps; 0 for a pooler that does not know them."""

    batch_size: Annotated[int, Field(ge=1, le=10_000)] = 250
    """Records in one transaction of an ingest."""
    ingest_connections: Annotated[int, Field(ge=1, le=64)] = 2
    """Batches of an ingest that are written at the same time."""

    max_document_bytes: Annotated[int, Field(ge=1, le=255 * 1024 * 1024)] = 16 * 1024 * 1024
    """A larger JSON document or text is refused; PostgreSQL's own limit is near 255 MB."""
    max_json_depth: Annotated[int, Field(ge=1, le=800)] = 512
    """Arrays and objects in one another; deeper documents are refused before they are sent. 800 is what every Python
    can read again."""
    nul: Literal["reject", "strip", "replace"] = "reject"
    """What becomes of a record with a NUL or half a character in a text or a document, which PostgreSQL can't hold:
    refuse it, store it without them, or with U+FFFD in their place."""

    media_url: SecretStr | None = None
    """Where media files lie: ``s3://``, ``gs://``, ``az://`` or ``file://``; without one, ``media_dir``."""
    media_dir: Path | None = None
    """Folder of the media files; without one, the platform's user data folder."""
    media_max_bytes: Annotated[int, Field(ge=1)] = 256 * 1024 * 1024
    """A larger media file is refused."""
    media_grace: Seconds = 24 * 3600.0
    """Garbage younger than this is left alone: a put may be about to link it."""
    media_content_types: tuple[str, ...] | None = None
    """The content types that are taken, such as ``image/*``; without any, all."""

    backup_dir: Path | None = None
    """Folder of the backups; without one, `backups` in the platform's user data folder."""
    backup_url: SecretStr | None = None
    """Where each backup is copied to, and fetched from where the folder has it not: ``s3://``, ``gs://``, ``az://`` or
    ``file://``."""
    backup_local_days: Annotated[int, Field(ge=0)] | None = None
    """Dumps that are older are removed from the folder once `backup_url` has them; without it, they are kept as long as
    those there."""
    wal_archive: bool = False
    """Whether the embedded server keeps its log in `backup_dir`, so that its data can be had back as of any moment."""
    backup_keep_days: Annotated[int, Field(ge=1)] = 30
    """Older backups are removed by `backup prune` and `backup run`, but for the last good one."""

    compose_file: Path | None = None
    """A compose file such as `deploy/compose.yaml`, whose services `start` and `stop` are for; without one, that is
    the embedded server."""
    compose_profiles: tuple[str, ...] | None = None
    """The profiles whose services belong to it, such as `production`, beside those of no profile."""

    language: Annotated[str, Field(pattern=r"^[a-z_]{1,63}$")] = "english"
    """Language of the full-text search, by the name of PostgreSQL's configuration; chosen when the schema is made."""

    search_refresh: Literal["background", "manual"] = "background"
    """Whether a store makes search documents of long texts by itself, or only when ``refresh_search`` is called."""

    compression: Literal["auto", "lz4", "pglz", "none"] = "auto"
    """How large values are compressed in new rows: lz4 where the server has it, else pglz."""

    @field_validator("backup_url")
    @classmethod
    def _is_a_url_of_objects(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and "://" not in value.get_secret_value():
            raise ValueError("must be a URL such as s3://bucket/prefix or file:///folder")
        return value

    @field_validator("dsn", "admin_dsn")
    @classmethod
    def _is_a_postgresql_uri(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value().strip():
            return None
        if not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must be a URI that starts with postgresql://")
        return value

    @property
    def backup_folder(self) -> Path:
        """Where backups lie."""
        return (self.backup_dir or platformdirs.user_data_path("workflow-store") / "backups").expanduser().absolute()

    @field_validator("data_dir", "backup_dir", "media_dir", "backup_url", "compose_file", mode="before")
    @classmethod
    def _names_a_place(cls, value: object) -> object:
        # An empty variable is a variable that is not set, not the current folder.
        return None if isinstance(value, str) and not value.strip() else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, _existing_file())

    @classmethod
    def load(cls, **overrides: Any) -> Settings:
        """Read the settings; ``overrides`` win over the environment.

        Raises:
            SettingsError: a value can't be used; the message names the setting and never shows the value.
        """
        unknown = overrides.keys() - cls.model_fields.keys()
        if unknown:
            del overrides
            raise SettingsError(f"no such setting: {', '.join(sorted(unknown))}")
        try:
            return cls(**overrides)
        except ValidationError as error:
            # The error itself shows the input, which may hold a password: say what and where, and cut the chain.
            problems = "; ".join(
                f"WORKFLOW_STORE_{'_'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
                for problem in error.errors(include_input=False, include_url=False, include_context=False)
            )
        except SettingsError as error:
            problems = str(error)
        except (OSError, ValueError) as error:
            problems = f"{settings_file()}: {type(error).__name__}: {error}"
        # A traceback with locals shows this frame too.
        del overrides
        raise SettingsError(problems)

    @classmethod
    def chosen(cls, settings: Settings | None, overrides: dict[str, Any]) -> Settings:
        """The settings that were given, else those that are read.

        Raises:
            SettingsError: both settings and single ones were given, or a value can't be used.
        """
        if settings is not None and overrides:
            raise SettingsError("give settings or single overrides, not both")
        return settings if settings is not None else cls.load(**overrides)
