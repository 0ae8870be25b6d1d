"""``make pin``: tags become digests where a registry answers, and nothing is written where none does."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import ROOT
from tests.ports import free_port, listens

SETTINGS = """\
version: 0.1
storage:
  filesystem:
    rootdirectory: {folder}
http:
  addr: 127.0.0.1:{port}
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry of this machine's own (Debian's docker-registry) with the two images that compose does not build."""
    folder = tmp_path_factory.mktemp("registry")
    port = free_port()
    (folder / "settings.yml").write_text(SETTINGS.format(folder=folder / "data", port=port))
    server = subprocess.Popen(
        ["docker-registry", "serve", str(folder / "settings.yml")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"127.0.0.1:{port}"
    images = [f"{address}/postgres:17", f"{address}/pgadmin4:9"]
    try:
        deadline = time.monotonic() + 20
        while not listens(port):
            assert time.monotonic() < deadline, "the registry does not answer"
            time.sleep(0.1)
        for image in images:
            _docker("tag", "workflow-store-debian:trixie", image)
            _docker("push", "--quiet", image)
        yield address
    finally:
        subprocess.run(["docker", "image", "rm", *images], capture_output=True, check=False)
        server.terminate()
        server.wait(20)


def _docker(*arguments: str) -> None:
    subprocess.run(["docker", *arguments], check=True, capture_output=True, timeout=120)


def pin(target: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "tools" / "pin"), str(target)],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_tags_become_digests(registry: str, tmp_path: Path) -> None:
    target = tmp_path / "compose.pinned.yaml"
    images = {"POSTGRES_IMAGE": f"{registry}/postgres:17", "PGADMIN_IMAGE": f"{registry}/pgadmin4:9"}

    pinned = pin(target, **images)

    assert pinned.returncode == 0, pinned.stderr
    found = dict(re.findall(r"^  (\S+):\n    image: (\S+)$", target.read_text(), re.MULTILINE))
    assert found.keys() == {"database", "pgadmin"}
    assert all(re.fullmatch(rf"{registry}/\S+@sha256:[0-9a-f]{{64}}", image) for image in found.values())
    composed = subprocess.run(
        ["docker-compose", "-f", str(ROOT / "deploy" / "compose.yaml"), "-f", str(target), "config"],
        env={**os.environ, "POSTGRES_PASSWORD": "chosen"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(image in composed.stdout for image in found.values())


def test_where_no_registry_answers_nothing_is_written(tmp_path: Path) -> None:
    target = tmp_path / "compose.pinned.yaml"
    target.write_text("as it was")

    refused = pin(target, POSTGRES_IMAGE="127.0.0.1:1/postgres:17")

    assert refused.returncode == 2
    assert "127.0.0.1:1/postgres:17 can't be had" in refused.stderr
    assert target.read_text() == "as it was"
