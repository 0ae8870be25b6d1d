"""Statements of backups, and what they return."""

from __future__ import annotations

from typing import NamedTuple

from workflow_store.queries.query import Query


class TableRow(NamedTuple):
    """``backup/fingerprint``."""

    name: str
    rows: int
    digest: str


class FactsRow(NamedTuple):
    """``backup/facts``."""

    database: str
    server_version: str
    server_number: int
    size: int
    schema_version: str | None


class MediaRow(NamedTuple):
    """``backup/media``."""

    sha256: bytes
    size: int


class OutputRow(NamedTuple):
    """``backup/output``."""

    timezone: str
    datestyle: str
    intervalstyle: str
    float_digits: str
    bytea: str


FINGERPRINT = Query[TableRow]("backup/fingerprint")
BACKUP_FACTS = Query[FactsRow]("backup/facts")
BACKUP_MEDIA = Query[MediaRow]("backup/media")
BACKUP_OUTPUT = Query[OutputRow]("backup/output")
BACKUP_LOCK = Query[bool]("backup/lock")
EXPORT_SNAPSHOT = Query[str]("backup/snapshot")
