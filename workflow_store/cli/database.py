"""``workflow-store db``: the schema and the server beneath it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from cyclopts import App
from rich.table import Table
from rich.text import Text

from workflow_store import schema
from workflow_store.cli.output import COMMON, Common, Flag, Output
from workflow_store.cli.server import Target, command_settings, server_facts, target
from workflow_store.cli.standard_input import confirm, need_a_person_or
from workflow_store.cli.wording import count, line, moment, plural
from workflow_store.schema import MigrationReport, SchemaStatus

database: App = App(name="db", help="Make, inspect and change the schema, and the server beneath it.")


@database.command
async def init(*, common: Common = COMMON) -> None:
    """Make the schema in an empty database; where it is there, apply what is missing.

    Doing it again changes nothing. With the embedded server, its data folder is made first.
    """
    await _migrate(common.output, None)


@database.command
async def upgrade(*, to: str | None = None, common: Common = COMMON) -> None:
    """Apply the migrations that are waiting.

    Args:
        to: The last migration to apply, such as 0001_workflows. Without it, all are applied.
    """
    await _migrate(common.output, to)


@database.command
async def downgrade(
    *,
    to: str | None = None,
    steps: int | None = None,
    yes: Flag = False,
    common: Common = COMMON,
) -> None:
    """Roll migrations back, the last one first; with their tables go the rows in them.

    Asks first. Without a terminal to ask on, --yes is needed.

    Args:
        to: The migration to stay as the last one; base rolls all back.
        steps: How many to roll back; 1 where neither this nor --to is given.
        yes: Do not ask.
    """
    output, settings = common.output, command_settings()
    need_a_person_or(yes, "rolling back deletes tables with their rows")
    async with target(settings, output) as server:
        dsn = server.dsn.get_secret_value()
        if not yes:
            await _confirm(server, await schema.status(dsn), to, steps)
        _tell(output, server, await schema.rollback(dsn, to=to, steps=steps))


@database.command
async def status(*, common: Common = COMMON) -> None:
    """Show the server, its version, and which migrations it has."""
    output, settings = common.output, command_settings()
    async with target(settings, output) as server:
        found = await schema.status(server.dsn.get_secret_value())
        facts = await server_facts(server, settings)
    state = _state(found)
    if output.json:
        output.document(
            {
                "server": {"kind": server.kind, "address": server.address, **asdict(facts)},
                "state": state,
                "current": found.current,
                "pending": found.pending,
                **found.model_dump(mode="json"),
            }
        )
        return
    grid = Table.grid(padding=(0, 2))
    grid.add_row("server", Text(f"PostgreSQL {facts.version}, {server.kind}"))
    grid.add_row("where", Text(line(server.address), overflow="fold"))
    durable = "yes" if facts.durable else "no: fsync, full_page_writes or synchronous_commit is off"
    grid.add_row("durable", durable)
    grid.add_row("schema", Text(_STATES[state]))
    table = Table("migration", "applied (UTC)", box=None, pad_edge=False)
    for migration in found.migrations:
        table.add_row(migration.id, moment(migration.applied_at) if migration.applied else "waiting")
    for name in found.unknown:
        table.add_row(Text(line(name)), "by a later version")
    output.show(grid, "", table)


@database.command
async def roles(
    *,
    owner: str = "workflow_store_owner",
    writer: str = "workflow_store_writer",
    reader: str = "workflow_store_reader",
    common: Common = COMMON,
) -> None:
    """Make the roles that own, write and read the tables, or bring them up to date; again changes nothing.

    A role gets the password of WORKFLOW_STORE_OWNER_PASSWORD, WORKFLOW_STORE_WRITER_PASSWORD or
    WORKFLOW_STORE_READER_PASSWORD, where there is one. What the database lets everybody do is taken back.

    Args:
        owner: Name of the role that owns the tables and migrates them.
        writer: Name of the role that writes rows.
        reader: Name of the role that reads them.
    """
    # Needed by this verb alone.
    from workflow_store.operations.roles import RoleNames, create_roles, passwords_of_environment

    output = common.output
    names = RoleNames(owner, writer, reader)
    report = await create_roles(command_settings(), names=names, passwords=passwords_of_environment())
    if output.json:
        output.document(asdict(report))
        return
    table = Table("role", "", "logs in", "limits", box=None, pad_edge=False)
    for purpose, name in (("owner", owner), ("writer", writer), ("reader", reader)):
        limits = ", ".join(f"{setting} {value}" for setting, value in report.limits[name].items())
        table.add_row(Text(line(name)), purpose, "yes" if name in report.may_log_in else "no", limits)
    output.show(table)
    output.note(f"{plural(len(report.made), 'role')} made; they work in the database {line(report.database)}")


@database.command(name="upgrade-server")
def upgrade_server(*, old_bin_dir: Path | None = None, common: Common = COMMON) -> None:
    """Move the embedded server's data to the installed major version of PostgreSQL.

    The old server writes everything out, a new data folder reads it, both are compared, and the two change places. The
    old data is kept beside the new.

    Args:
        old_bin_dir: Folder with the programs of the old version; without it, the usual places are searched.
    """
    # Needed by this verb alone.
    from workflow_store.operations.upgrade import upgrade_server as move

    output = common.output
    report = move(command_settings().data_dir, old_bin_dir=old_bin_dir)
    if output.json:
        output.document(asdict(report))
        return
    table = Table("table", "rows", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for name, rows in report.tables.items():
        table.add_row(Text(name), count(rows))
    output.show(
        f"PostgreSQL {report.old_version} → {report.new_version} in {report.seconds:.1f} s",
        Text(f"data      {report.data_dir}"),
        Text(f"old data  {report.kept}  (remove it when the new one has proven itself)"),
        "",
        table,
    )


async def _migrate(output: Output, to: str | None) -> None:
    settings = command_settings()
    async with target(settings, output) as server:
        report = await schema.migrate(server.dsn.get_secret_value(), to=to, compression=settings.compression)
    _tell(output, server, report)


def _tell(output: Output, server: Target, report: MigrationReport) -> None:
    if output.json:
        output.document(report.model_dump(mode="json"))
        return
    for done, names in (("applied", report.applied), ("rolled back", report.rolled_back)):
        for name in names:
            output.show(f"{done} {name}")
    changed = report.applied or report.rolled_back
    if not changed:
        output.show("nothing to do")
    now = f"the schema is at {report.current}" if report.current else "there is no schema"
    compressed = f", large values are compressed with {report.compression}" if report.compression else ""
    output.show(Text(f"{now}{compressed} ({line(server.address)}, {report.seconds:.1f} s)"))


async def _confirm(server: Target, found: SchemaStatus, to: str | None, steps: int | None) -> None:
    """Ask on the terminal.

    Raises:
        Declined: the answer is not yes.
    """
    applied = [migration.id for migration in found.migrations if migration.applied]
    if to is None:
        going = applied[max(len(applied) - (1 if steps is None else steps), 0) :]
    else:
        known = to == "base" or any(migration.id == to for migration in found.migrations)
        going = [name for name in applied if to == "base" or name > to] if known else []
    if not going:
        return  # nothing is lost, or the library says what is wrong with it
    what = f"{plural(len(going), 'migration')} ({', '.join(reversed(going))})"
    await confirm(f"Roll back {what} on {line(server.address)}? Rows in tables they made are deleted.")


_STATES = {
    "missing": "missing: workflow-store db init makes it",
    "outdated": "outdated: workflow-store db upgrade applies what is waiting",
    "too new": "too new: a later version of workflow-store migrated it",
    "current": "current",
}


def _state(found: SchemaStatus) -> str:
    if found.current is None:
        return "missing"
    if found.unknown:
        return "too new"
    return "outdated" if found.pending else "current"
