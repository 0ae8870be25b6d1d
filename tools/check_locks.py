"""Holds the locks to their promise: every line pinned and hashed, no address anywhere, one version of each package."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[A-Za-z0-9.+!]+)(?: ; [^\\]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")
ADDRESS = re.compile(
    r"://|\bwww\.|(?:^|\s)-(?:-index-url|-extra-index-url|-find-links|-trusted-host|i|f)\b|(?<!\w)/\w+/"
)


def pins(lock: Path) -> tuple[dict[str, str], list[str]]:
    """The versions a lock names, and what is wrong with it."""
    versions: dict[str, str] = {}
    faults: list[str] = []
    lines = lock.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        where = f"{lock.relative_to(ROOT)}:{number}"
        if ADDRESS.search(line):
            faults.append(f"{where}: an address or a path: {line.strip()}")
        if pin := PIN.fullmatch(line):
            versions[pin["name"]] = pin["version"]
            if number == len(lines) or not HASH.fullmatch(lines[number]):
                faults.append(f"{where}: no hash follows: {line}")
        elif line and not HASH.fullmatch(line) and not line.lstrip().startswith("#"):
            faults.append(f"{where}: neither a pin nor a hash: {line}")
    return versions, faults


def main() -> int:
    locks = {path.stem: pins(path) for path in sorted((ROOT / "requirements").glob("*.txt"))}
    faults = [fault for _, found in locks.values() for fault in found]
    dev = locks["dev"][0]
    for smaller, larger in (("embedded", "dev"), ("dev", "peers")):
        held = locks[larger][0]
        for name, version in locks[smaller][0].items():
            if held.get(name) != version:
                other = f"{held.get(name)} in {larger}.txt, which must hold all of it"
                faults.append(f"{name}: {version} in {smaller}.txt, {other}")

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    wanted = [*project["project"]["dependencies"], *groups["dev"], *groups["examples"]]
    wanted += [line for extra in project["project"]["optional-dependencies"].values() for line in extra]
    for line in wanted:
        name = re.split(r"[\[<>=~!; ]", line, maxsplit=1)[0].lower()
        if name not in dev:
            faults.append(f"{name}: in pyproject.toml and not in dev.txt: run make lock")

    for fault in faults:
        print(fault, file=sys.stderr)
    if not faults:
        print(f"{len(locks)} locks, {len(dev)} packages: pinned, hashed, without an address")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
