"""Writes ``docs/cli.md``, ``docs/settings.md`` and ``deploy/env.production.example`` from the code; ``--check`` only
compares.
"""

from __future__ import annotations

import ast
import json
import sys
import textwrap
from collections.abc import Iterator
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


ENVIRONMENT_HEAD = """\
# Every setting of workflow-store, as it is where nothing is said. Take the # away from what is to be another way, and
# keep the file to yourself (chmod 600): it holds passwords. `docker run --env-file`, compose and systemd's
# EnvironmentFile read it.

# The database's container, where compose runs one. There is no password to begin with.
POSTGRES_USER=workflow_store
POSTGRES_PASSWORD=
POSTGRES_DB=workflow_store
# Where it listens on this machine, and when backups are made, as cron writes it.
#POSTGRES_BIND=127.0.0.1
#POSTGRES_PORT=5432
#BACKUP_SCHEDULE=0 2 * * *
#JUPYTER_PORT=8888
#JUPYTER_TOKEN=

# The roles that `workflow-store db roles` makes are let in by these.
#WORKFLOW_STORE_OWNER_PASSWORD=
#WORKFLOW_STORE_WRITER_PASSWORD=
#WORKFLOW_STORE_READER_PASSWORD=

"""


def commands() -> str:
    """The page on the command line."""
    return app.generate_docs(output_format="markdown", usage_name="workflow-store").rstrip() + "\n"


def settings() -> str:
    """The page on the settings: each with its default and its docstring."""
    rows = [
        f"| `{name}` | {_shown(default)} | {meaning.replace('``', '`')} |" for name, default, meaning in _settings()
    ]
    return SETTINGS_HEAD + "\n".join(rows) + "\n"


def environment() -> str:
    """A file of environment variables with every setting."""
    parts: list[str] = []
    for name, default, meaning in _settings():
        told = textwrap.wrap(meaning.replace("``", ""), 117, initial_indent="# ", subsequent_indent="# ")
        parts.append("\n".join([*told, f"#WORKFLOW_STORE_{name.upper()}={_variable(default)}"]))
    return ENVIRONMENT_HEAD + "\n\n".join(parts) + "\n"


def _settings() -> Iterator[tuple[str, Any, str]]:
    """Name, default and meaning of each."""
    tree = ast.parse((ROOT / "workflow_store" / "settings.py").read_text(encoding="utf-8"))
    (body,) = [node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings"]
    for node, following in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        name = node.target.id
        if name not in Settings.model_fields:
            continue
        if not isinstance(following, ast.Expr) or not isinstance(following.value, ast.Constant):
            raise SystemExit(f"the setting {name} has no docstring")
        yield name, Settings.model_fields[name].default, " ".join(str(following.value.value).split())


def _variable(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | tuple):
        return json.dumps(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else f"`{value}`"


PAGES = {
    ROOT / "docs" / "cli.md": commands,
    ROOT / "docs" / "settings.md": settings,
    ROOT / "deploy" / "env.production.example": environment,
}


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
