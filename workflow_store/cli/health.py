"""``workflow-store health``: whether the store can be relied on, for people and for probes."""

from __future__ import annotations

from typing import Annotated, Final

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

from workflow_store.cli.output import COMMON, Common
from workflow_store.cli.server import command_settings
from workflow_store.cli.wording import line
from workflow_store.operations.health import HealthReport, check_health

_EXIT: Final = {"healthy": 0, "degraded": 1, "unhealthy": 2}
_STYLE: Final = {"healthy": "green", "degraded": "yellow", "unhealthy": "bold red", "skipped": "dim"}


async def health(
    *,
    timeout: Annotated[float, Parameter(help="Seconds to wait for the server.")] = 5.0,
    common: Common = COMMON,
) -> int:
    """Check the server, its schema, connections, transactions and replication, disks, memory, log and backups.

    Unlike those of other verbs the exit codes are those that probes of Docker, Nagios and Kubernetes understand: 0
    healthy, 1 degraded, 2 unhealthy; 2 also where there is no server.
    """
    report = await check_health(command_settings(connect_timeout=timeout))
    if common.output.json:
        common.output.document(report.document())
    else:
        common.output.show(_view(report), Text(f"overall: {report.overall_status}"))
    return _EXIT[report.overall_status]


def _view(report: HealthReport) -> Table:
    table = Table("check", "status", "what", box=None, pad_edge=False)
    for name, check in report.checks.items():
        table.add_row(name, Text(check.status, style=_STYLE[check.status]), Text(line(check.message)))
    return table
