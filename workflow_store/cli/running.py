"""``workflow-store start`` and ``stop``: the embedded server in the background, or the services of a compose file."""

from __future__ import annotations

from rich.text import Text

from workflow_store.cli.outcomes import Exit
from workflow_store.cli.output import COMMON, Common, Flag
from workflow_store.cli.server import command_settings
from workflow_store.operations.running import start_server, stop_server


async def start(*, timeout: float | None = None, common: Common = COMMON) -> None:
    """Start the embedded server, and keep it running until `stop`; again changes nothing.

    Without it the server runs for as long as some program uses it, which is enough for all other verbs. Where
    `compose_file` names one, its services are started instead, and waited for until they are healthy. Any other server
    is its own administrator's to start.

    Args:
        timeout: Seconds until it has to be ready; 60, and 300 for services. Images that have to be fetched or built may
            take longer.
    """
    output = common.output
    with output.progress("starting"):
        report = await start_server(command_settings(), timeout=timeout)
    if output.json:
        output.document(
            {
                "data_dir": report.data_dir,
                "keeper": report.keeper,
                "services": report.services,
                "was_running": report.was_running,
            }
        )
        return
    what = "was running already" if report.was_running else "is running"
    if report.data_dir is None:
        named = ", ".join(report.services) or "no service"
        output.show(Text(f"{named} {'were running already' if report.was_running else 'running'}"), whole=True)
        return
    output.show(Text(f"the embedded server {what}, kept by process {report.keeper}, in {report.data_dir}"), whole=True)


async def stop(*, backup: Flag = False, force: Flag = False, common: Common = COMMON) -> int:
    """Stop the embedded server; what it has acknowledged is kept. The exit code is 1 where other programs still use it.

    Where `compose_file` names one, its services are stopped instead; containers and volumes stay.

    Args:
        backup: Make a backup first, with compose in its volume; where that fails, nothing is stopped.
        force: Stop it although other programs use it, and containers by SIGKILL; what was not committed is undone.
    """
    output = common.output
    with output.progress("stopping"):
        report = await stop_server(command_settings(), backup=backup, force=force)
    if output.json:
        output.document(
            {
                "data_dir": report.data_dir,
                "was_running": report.was_running,
                "is_running": report.is_running,
                "backup": report.backup,
                "services": report.services,
            }
        )
        return Exit.INCOMPLETE if report.is_running else Exit.DONE
    if report.backup is not None:
        output.show(Text(f"made {report.backup}"), whole=True)
    if report.is_running:
        output.note("other programs still use it, and the last of them stops it; --force stops it now")
        return Exit.INCOMPLETE
    what = "the embedded server is" if report.data_dir is not None else f"{', '.join(report.services)}"
    output.note(f"{what} stopped" if report.was_running else "there was no server to stop")
    return Exit.DONE
