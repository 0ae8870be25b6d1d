"""The timer and the cron lines: systemd takes them, and what they run is a verb."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.commands import ROOT, run

DEPLOY = ROOT / "deploy"


@pytest.mark.parametrize("unit", sorted(path.name for path in (DEPLOY / "systemd").iterdir()))
def test_systemd_takes_each_unit(unit: str) -> None:
    checked = subprocess.run(
        ["systemd-analyze", "verify", str(DEPLOY / "systemd" / unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert [line for line in checked.stderr.splitlines() if unit in line] == []


def test_the_timer_comes_daily_at_two() -> None:
    timer = (DEPLOY / "systemd" / "workflow-store-backup.timer").read_text()

    assert "OnCalendar=*-*-* 02:00:00" in timer
    assert "Persistent=true" in timer


@pytest.mark.parametrize("file", ["systemd/workflow-store-backup.service", "cron.example", "backup-cron"])
def test_what_they_run_is_a_verb(file: str) -> None:
    verbs = re.findall(r"workflow-store ((?:backup run)|maintain)", (DEPLOY / file).read_text())

    assert verbs
    for verb in verbs:
        assert run(*verb.split(), "--help").code == 0
