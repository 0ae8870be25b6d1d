"""Writes the command-line reference ``docs/cli.md`` from the commands themselves; ``--check`` only compares."""

from __future__ import annotations

import sys
from pathlib import Path

from workflow_store.cli import app

TARGET = Path(__file__).resolve().parent.parent / "docs" / "cli.md"


def main(arguments: list[str]) -> int:
    text = app.generate_docs(output_format="markdown", usage_name="workflow-store").rstrip() + "\n"
    present = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    if "--check" in arguments:
        if present != text:
            print("docs/cli.md is not what the commands say: run make docs", file=sys.stderr)
        return int(present != text)
    if present != text:
        TARGET.parent.mkdir(exist_ok=True)
        TARGET.write_text(text, encoding="utf-8")
    print(f"docs/cli.md {'is current' if present == text else 'is written'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
