"""Writes the references ``docs/cli.md`` and ``docs/settings.md`` from the code; ``--check`` only compares."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

from workflow_store.cli import app
from workflow_store.settings import Settings

ROOT = Path(__file__).resolve().parent.parent

SETTINGS_HEAD = """# Settings

Every setting is read from `WORKFLOW_STORE_<NAME>` in the environment and, below that, as `name` from the TOML file that
`WORKFLOW_STORE_SETTINGS_FILE` names, or else from `settings.toml` in the user's configuration folder;
`WorkflowStore.open(name=…)` wins over both. A value that can't be used is a `SettingsError` that names the setting and
never shows the value; so is a file that is named but not there (`/dev/null` is none). Times are seconds, sizes bytes.

| setting | default | |
| --- | --- | --- |
"""


def commands() -> str:
    """The page on the command line."""
    return app.generate_docs(output_format="markdown", usage_name="workflow-store").rstrip() + "\n"


def settings() -> str:
    """The page on the settings: each with its default and its docstring."""
    tree = ast.parse((ROOT / "workflow_store" / "settings.py").read_text(encoding="utf-8"))
    (body,) = [node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings"]
    rows: list[str] = []
    for node, following in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        name = node.target.id
        if name not in Settings.model_fields:
            continue
        if not isinstance(following, ast.Expr) or not isinstance(following.value, ast.Constant):
            raise SystemExit(f"the setting {name} has no docstring")
        meaning = " ".join(str(following.value.value).replace("``", "`").split())
        rows.append(f"| `{name}` | {_shown(Settings.model_fields[name].default)} | {meaning} |")
    return SETTINGS_HEAD + "\n".join(rows) + "\n"


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else f"`{value}`"


PAGES = {ROOT / "docs" / "cli.md": commands, ROOT / "docs" / "settings.md": settings}


def main(arguments: list[str]) -> int:
    stale = 0
    for target, write in PAGES.items():
        text = write()
        name = target.relative_to(ROOT)
        present = target.read_text(encoding="utf-8") if target.exists() else ""
        if "--check" in arguments:
            if present != text:
                print(f"{name} is not what the code says: run make docs", file=sys.stderr)
                stale = 1
            continue
        if present != text:
            target.write_text(text, encoding="utf-8")
        print(f"{name} {'is current' if present == text else 'is written'}")
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
