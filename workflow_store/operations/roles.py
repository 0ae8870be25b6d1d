"""Three roles: one that owns the tables and migrates them, one that writes rows, one that reads them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from pydantic import SecretStr

from workflow_store.errors import InvalidField, SchemaMissing
from workflow_store.operations.administration import Administrator, administering
from workflow_store.operations.backup.databases import Databases
from workflow_store.operations.servers import admin_server
from workflow_store.settings import Settings

Purpose: TypeAlias = Literal["owner", "writer", "reader"]

_NAME_BYTES: Final = 63
# Behind the client's own deadlines, for a client that can't keep them any more. The owner's work may take long.
_LIMITS: Final[Mapping[Purpose, Mapping[str, str]]] = {
    "owner": {"lock_timeout": "30s", "idle_in_transaction_session_timeout": "10min"},
    "writer": {
        "statement_timeout": "90s",
        "lock_timeout": "30s",
        "idle_in_transaction_session_timeout": "10min",
        "transaction_timeout": "2h",
    },
    "reader": {
        "statement_timeout": "90s",
        "lock_timeout": "10s",
        "idle_in_transaction_session_timeout": "10min",
        "transaction_timeout": "2h",
        "default_transaction_read_only": "on",
    },
}
_SINCE: Final = {"transaction_timeout": 170_000}


@dataclass(frozen=True, slots=True)
class RoleNames:
    """What the three are called.

    Attributes:
        owner: owns the schema and its tables; for migrations.
        writer: for stores that write.
        reader: for stores that only read.
    """

    owner: str = "workflow_store_owner"
    writer: str = "workflow_store_writer"
    reader: str = "workflow_store_reader"

    def __post_init__(self) -> None:
        names = (self.owner, self.writer, self.reader)
        for purpose, name in zip(("owner", "writer", "reader"), names, strict=True):
            if not 1 <= len(name.encode()) <= _NAME_BYTES or "\x00" in name:
                raise InvalidField(purpose, f"a role's name has 1 to {_NAME_BYTES} bytes")
        if len(set(names)) != len(names):
            raise InvalidField("owner", "the three roles are three")


@dataclass(slots=True)
class RolesReport:
    """What was done.

    Attributes:
        database: in which the roles may work.
        made: roles that were not there.
        may_log_in: those of the three that can, by a password that was given now or before.
        limits: what was set for each, by name.
    """

    database: str
    made: list[str] = field(default_factory=list[str])
    may_log_in: list[str] = field(default_factory=list[str])
    limits: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])


async def create_roles(
    settings: Settings | None = None,
    *,
    names: RoleNames | None = None,
    passwords: Mapping[Purpose, SecretStr] | None = None,
    **overrides: Any,
) -> RolesReport:
    """Make the three roles, or bring them to this version's state; doing it again changes nothing.

    A role without a password can't log in, unless it could before: it is one that a login of yours is made a member of.
    What the database lets everybody do is taken back.

    Args:
        settings: read from the environment and the settings file where not given; ``admin_dsn`` names the database and
            a role that may make roles.
        names: what they are called.
        passwords: by purpose; only what the server keeps of them is sent.
        overrides: single settings by name.

    Raises:
        SchemaMissing: there are no tables yet.
        PermissionDenied: the role of the settings may not make roles, or does not own the tables.
        InvalidField: a name that can't be a role's.
    """
    chosen = Settings.chosen(settings, overrides)
    called = RoleNames() if names is None else names
    async with admin_server(chosen) as dsn, administering(dsn) as admin:
        if not (await admin.fetch("schema/state"))[0][0]:
            raise SchemaMissing("the schema workflow_store is not in this database; `workflow-store db init` makes it")
        report = RolesReport(Databases(dsn).name)
        async with admin.connection.transaction():
            await _make(admin, called, passwords or {}, report)
            await _own(admin, called)
            await _grant(admin, called, report.database)
            await _limit(admin, called, report)
    return report


def passwords_of_environment() -> dict[Purpose, SecretStr]:
    """Those in ``WORKFLOW_STORE_OWNER_PASSWORD``, ``…_WRITER_PASSWORD`` and ``…_READER_PASSWORD``."""
    purposes: tuple[Purpose, ...] = ("owner", "writer", "reader")
    found: dict[Purpose, SecretStr] = {}
    for purpose in purposes:
        password = os.environ.get(f"WORKFLOW_STORE_{purpose.upper()}_PASSWORD")
        if password:
            found[purpose] = SecretStr(password)
    return found


async def _make(
    admin: Administrator, names: RoleNames, passwords: Mapping[Purpose, SecretStr], report: RolesReport
) -> None:
    for purpose, role in _each(names):
        found = await admin.fetch("roles/exists", role)
        if not found:
            await admin.run("roles/create", {"role": role})
            report.made.append(role)
        password = passwords.get(purpose)
        if password is not None:
            verifier = admin.verifier(role, password.get_secret_value())
            await admin.run("roles/login", {"role": role}, {"verifier": verifier})
        if password is not None or (found and found[0][0]):
            report.may_log_in.append(role)


async def _own(admin: Administrator, names: RoleNames) -> None:
    owner = {"role": names.owner}
    # Who gives something away has to be a member of the role that gets it; a superuser is of all.
    await admin.run("roles/join", {**owner, "member": str(admin.connection.info.user)})
    await admin.run("roles/own_schema", owner)
    for table, _ in await admin.fetch("roles/tables"):
        await admin.run("roles/own_table", {**owner, "table": table})
    await admin.run("roles/own_routines", {}, {"role": names.owner})


async def _grant(admin: Administrator, names: RoleNames, database: str) -> None:
    await admin.run("roles/shut_database", {"database": database})
    for _, role in _each(names):
        await admin.run("roles/connect", {"database": database, "role": role})
    await admin.run("roles/create_in_database", {"database": database, "role": names.owner})
    for role in (names.writer, names.reader):
        for grant in ("roles/use_schema", "roles/read", "roles/call"):
            await admin.run(grant, {"role": role})
        await admin.run("roles/read_later", {"owner": names.owner, "role": role})
    await admin.run("roles/write_later", {"owner": names.owner, "role": names.writer})
    for table, is_ledger in await admin.fetch("roles/tables"):
        if not is_ledger:
            await admin.run("roles/write", {"table": table, "role": names.writer})


async def _limit(admin: Administrator, names: RoleNames, report: RolesReport) -> None:
    version = admin.connection.info.server_version
    for purpose, role in _each(names):
        # Nothing that is looked up by name can be put in the way of what is meant.
        await admin.run("roles/pin_path", {"role": role, "database": report.database})
        limits = {name: value for name, value in _LIMITS[purpose].items() if version >= _SINCE.get(name, 0)}
        for parameter, value in limits.items():
            await admin.run(
                "roles/set", {"role": role, "database": report.database, "parameter": parameter}, {"value": value}
            )
        report.limits[role] = limits


def _each(names: RoleNames) -> tuple[tuple[Purpose, str], ...]:
    return (("owner", names.owner), ("writer", names.writer), ("reader", names.reader))
