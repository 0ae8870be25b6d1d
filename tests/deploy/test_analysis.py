"""The notebook, run in the image that the deployment has for it, on what is stored there."""

from __future__ import annotations

import json
from typing import Any

from tests.deploy.project import Project

NOTEBOOK = "analysis.ipynb"


def test_the_notebook_runs_on_what_is_stored_and_can_not_write(project: Project) -> None:
    project.run("build", "jupyter", profile="analysis")
    fill = "workflow-store demo --count 300 >/dev/null && workflow-store count --json"
    stored = json.loads(project.run("run", "--rm", "-T", "--entrypoint", "sh", "app", "-c", fill))["total"]
    execute = f"jupyter execute --output=/tmp/done.ipynb {NOTEBOOK} >&2 && cat /tmp/done.ipynb"
    done = json.loads(project.run("run", "--rm", "-T", "jupyter", "sh", "-c", execute, profile="analysis"))
    write = ("workflow-store", "enqueue", "1", "https://n8n.io/workflows/1")
    refused = project.compose("run", "--rm", "-T", "jupyter", *write, profile="analysis")

    cells = [cell for cell in done["cells"] if cell["cell_type"] == "code"]
    answers = [kinds(cell) for cell in cells]
    assert all(cell["execution_count"] for cell in cells)
    assert sum("text/html" in kind for kind in answers) == 4
    assert sum("image/png" in kind for kind in answers) == 1
    assert stored >= 300
    assert f"{stored:,} workflows\n" in printed(cells)
    assert (refused.returncode, "read-only" in refused.stderr) == (3, True), refused.stderr


def kinds(cell: dict[str, Any]) -> set[str]:
    return {kind for output in cell["outputs"] for kind in output.get("data", {})}


def printed(cells: list[dict[str, Any]]) -> str:
    return "".join(line for cell in cells for output in cell["outputs"] for line in output.get("text", ()))
