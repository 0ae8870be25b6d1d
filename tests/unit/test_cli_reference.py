"""The reference in docs/cli.md has every verb and every option."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from cyclopts import App

from tests.commands import ROOT, child_environment, run
from workflow_store.cli import app
from workflow_store.cli.outcomes import Exit

REFERENCE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def _verbs(group: App, chain: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], App]]:
    for name in group:
        if not name.startswith("-"):
            verb = group[name]
            if verb.default_command is None:
                yield from _verbs(verb, (*chain, name))
            else:
                yield (*chain, name), verb


VERBS = dict(_verbs(app))


def _section(chain: tuple[str, ...]) -> str:
    title = re.escape(f"workflow-store {' '.join(chain)}")
    found = re.search(rf"^#+ {title}\n(.*?)(?=^#+ |\Z)", REFERENCE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/cli.md has no section for {' '.join(chain)}: run make docs"
    return found[1]


def test_the_verbs_are_those_that_were_promised() -> None:
    assert {" ".join(chain) for chain in VERBS} == {
        "db init",
        "db status",
        "db upgrade",
        "db downgrade",
        "db upgrade-server",
        "db roles",
        "ingest",
        "import-original",
        "get",
        "list",
        "count",
        "search",
        "suggest",
        "update",
        "delete",
        "media put",
        "media get",
        "media list",
        "media delete",
        "media collect-garbage",
        "quarantine list",
        "quarantine purge",
        "quarantine retry",
        "quarantine show",
        "enqueue",
        "pending",
        "stats",
        "export",
        "backup create",
        "backup list",
        "backup verify",
        "backup restore",
        "backup drill",
        "backup prune",
        "backup run",
        "start",
        "stop",
        "health",
        "monitor",
        "report",
        "maintain",
        "demo",
    }


@pytest.mark.parametrize("chain", VERBS, ids=" ".join)
def test_the_reference_has_every_option_of_a_verb(chain: tuple[str, ...]) -> None:
    section = _section(chain)

    arguments = VERBS[chain].assemble_argument_collection(parse_docstring=True)
    names = {name for argument in arguments if argument.show for name in argument.names}

    assert "--json" in names
    assert {name for name in names if name not in section} == set()
    assert [argument.name for argument in arguments if argument.show and not argument.parameter.help] == []


@pytest.mark.parametrize("chain", VERBS, ids=" ".join)
def test_help_of_a_verb_goes_to_stdout_and_has_its_options(chain: tuple[str, ...]) -> None:
    ran = run(*chain, "--help")

    assert (ran.code, ran.err) == (0, "")
    assert "Usage: workflow-store" in ran.out
    assert "--json" in ran.out


def test_the_reference_is_what_the_commands_say() -> None:
    # In a process of its own: cyclopts writes into it how the program was started.
    command = [sys.executable, "tools/reference.py", "--check"]
    checked = subprocess.run(command, cwd=ROOT, env=child_environment(), capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stderr) == (0, "")


def test_every_exit_code_is_in_the_reference() -> None:
    for code in Exit:
        assert re.search(rf"^\* (\d+, )*{code.value}\b", REFERENCE, re.MULTILINE), code


def test_version_and_bare_help_end_well() -> None:
    version, bare = run("--version"), run()

    assert re.fullmatch(r"workflow-store \d+\.\d+\.\d+\n", version.out)
    assert (version.code, bare.code) == (0, 0)
    assert "Exit codes:" in bare.out
