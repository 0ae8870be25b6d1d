"""Writes the locks in ``requirements/`` from ``pyproject.toml``, with hashes and without any address.

Runs with pip-tools in its interpreter, which must be the oldest Python the project supports: backports are then in the
locks, and newer Pythons have no need of anything else. ``--upgrade`` takes the newest releases; without it, versions
that still fit are kept.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Written by `make lock` from pyproject.toml, for `pip install --require-hashes -r requirements/{}.txt`.\n"


def requirements(project: dict[str, object], extras: list[str], groups: list[str]) -> list[str]:
    """The lines of the project itself, of its build backend, and of the extras and dependency groups named."""
    table = project["project"]
    build = project["build-system"]
    grouped = project["dependency-groups"]
    assert isinstance(table, dict)
    assert isinstance(build, dict)
    assert isinstance(grouped, dict)
    lines = [*table["dependencies"], *build["requires"], "editables"]
    for extra in extras:
        lines += table["optional-dependencies"][extra]
    for group in groups:
        lines += grouped[group]
    return lines


def compile_lock(name: str, lines: list[str], constraint: Path | None, options: list[str]) -> None:
    """Resolves the lines into ``requirements/<name>.txt``; pip-compile reads the present lock as its preference."""
    lock = ROOT / "requirements" / f"{name}.txt"
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "workflow-store"
        source.write_text("\n".join(lines) + "\n", encoding="utf-8")
        output = Path(folder) / "lock.txt"
        if lock.exists():
            output.write_bytes(lock.read_bytes())
        command = [sys.executable, "-m", "piptools", "compile", "--quiet", "--no-config", "--generate-hashes"]
        command += ["--allow-unsafe", "--strip-extras", "--no-header", "--no-emit-options", *options]
        command += ["--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host"]
        if constraint is not None:
            command += ["--constraint", str(constraint)]
        subprocess.run([*command, "--output-file", str(output), str(source)], check=True)
        text = output.read_text(encoding="utf-8")
    # The comments name temporary files; what is left of them says which package asked for which.
    text = text.replace(f"-r {source}", "workflow-store")
    if constraint is not None:
        text = re.sub(rf"\n +#   -c {re.escape(str(constraint))}", "", text)
        text = re.sub(r"# via\n +#   (?!.*\n +#   )(.*)\n", r"# via \1\n", text)
    lock.write_text(HEADER.format(name) + text, encoding="utf-8")
    print(f"requirements/{name}.txt: {sum(1 for line in text.splitlines() if '==' in line)} packages")


def main(options: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    oldest = re.search(r"3\.\d+", project["project"]["requires-python"])
    if oldest is None or oldest[0] != "{}.{}".format(*sys.version_info):
        sys.exit(f"error: locks are made with Python {oldest and oldest[0]}: make lock PYTHON=python3.11")
    embedded = ROOT / "requirements" / "embedded.txt"
    compile_lock("embedded", requirements(project, ["embedded"], []), None, options)
    # An environment made from `dev` serves for `embedded`, so what both hold must be of one version.
    extras = list(project["project"]["optional-dependencies"])
    compile_lock("dev", requirements(project, extras, ["dev", "examples"]), embedded, options)
    # So that an environment made from `peers` serves for `dev`.
    dev = ROOT / "requirements" / "dev.txt"
    compile_lock("peers", requirements(project, extras, ["dev", "examples", "peers"]), dev, options)
    # Goes into the image that has `embedded`.
    compile_lock("analysis", requirements(project, [], ["analysis"]), embedded, options)
    # The pages are built from the sources; the project itself is not installed for them.
    compile_lock("site", project["dependency-groups"]["site"], None, options)
    compile_lock("lock", ["pip-tools"], None, options)


if __name__ == "__main__":
    main(sys.argv[1:])
