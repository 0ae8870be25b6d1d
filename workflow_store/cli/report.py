"""``workflow-store report``: a page to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from workflow_store.cli.output import COMMON, Common
from workflow_store.cli.output_file import output_file
from workflow_store.cli.server import command_settings
from workflow_store.cli.wording import size
from workflow_store.operations.report import make_report


async def report(
    *,
    output: Annotated[Path, Parameter(name=("--output", "-o"), allow_leading_hyphen=True)] = Path("report.html"),
    common: Common = COMMON,
) -> None:
    """Write one HTML page: counts, quality, growth, node types, sizes, health, slow statements, backups.

    It needs no network and nothing beside it. The file takes its name when it is complete.

    Args:
        output: The file to write.
    """
    screen = common.output
    with screen.progress("looking"):
        page = (await make_report(command_settings())).encode("utf-8", "xmlcharrefreplace")
    with output_file(output) as file:
        file.write(page)
    if screen.json:
        screen.document({"output": str(output), "bytes": len(page)})
    else:
        screen.note(f"{output}, {size(len(page))}")
