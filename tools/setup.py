"""Brings a virtual environment to what a lock says; does nothing when it is there already.

Usage: setup.py VENV LOCK… [--without-project], each LOCK a name in ``requirements/``, the wanted one first. The locks
after it hold all of it and more, so an environment that has one of those is left alone. A copy of what was installed
lies in the environment: the lock and ``pyproject.toml`` (entry points come from there), compared as text, so that a
``git checkout``, which touches times and not contents, costs nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Two makes at once take turns; on a file system without locks they do not."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def identity(environment: Path) -> str:
    """What an environment cannot survive a change of: its own place, the checkout's, and its interpreter."""
    probe = "import sys; print(sys.prefix, sys.version)"
    try:
        answer = subprocess.run(
            [environment / "bin/python", "-c", probe], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return f"{environment}\n{ROOT}\n{answer.stdout}"


def same(stamp: Path, text: str) -> bool:
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == text


def install(environment: Path, *arguments: str) -> None:
    command = [str(environment / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, "--no-input", *arguments], cwd=ROOT, check=True)


def main(environment: Path, names: list[str], *, with_project: bool) -> None:
    locks = {name: (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8") for name in names}
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    stamps = environment / "stamps"
    wanted = names[0]
    started = time.monotonic()

    ours = same(stamps / "identity", identity(environment))
    if not ours:
        print(f"creating {environment} with Python {sys.version.split()[0]}", file=sys.stderr, flush=True)
        venv.create(environment, clear=True, with_pip=True, symlinks=True)
        stamps.mkdir()
        (stamps / "identity").write_text(identity(environment), encoding="utf-8")
    if not any(same(stamps / name, text) for name, text in locks.items()):
        print(f"installing requirements/{wanted}.txt", file=sys.stderr, flush=True)
        for stamp in locks:
            (stamps / stamp).unlink(missing_ok=True)
        install(environment, "--require-hashes", "-r", f"requirements/{wanted}.txt")
        (stamps / wanted).write_text(locks[wanted], encoding="utf-8")
    if with_project and not same(stamps / "project", project):
        install(environment, "--no-deps", "--no-build-isolation", "--editable", ".")
        (stamps / "project").write_text(project, encoding="utf-8")
    if time.monotonic() - started > 1:
        print(f"{environment} is ready ({time.monotonic() - started:.0f} s)", file=sys.stderr, flush=True)


if __name__ == "__main__":
    with alone():
        try:
            names = [name for name in sys.argv[2:] if name != "--without-project"]
            main(ROOT / sys.argv[1], names, with_project="--without-project" not in sys.argv)
        except subprocess.CalledProcessError as failure:
            sys.exit(failure.returncode or 1)
