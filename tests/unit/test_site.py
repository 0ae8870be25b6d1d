"""The site has every page, and its reference every public name."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

import workflow_store
from tests.commands import ROOT

DOCS: Final = ROOT / "docs"
REFERENCE: Final = {
    path.name: re.findall(r"^::: (\S+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    for path in (DOCS / "api").glob("*.md")
}


def test_each_public_name_stands_in_the_reference_once() -> None:
    named = Counter(name for names in REFERENCE.values() for name in names)

    assert {f"workflow_store.{name}" for name in workflow_store.__all__} <= named.keys()
    assert set(named.values()) == {1}


def test_errors_stand_where_errors_are_looked_up() -> None:
    errors = {
        f"workflow_store.{name}"
        for name in workflow_store.__all__
        if isinstance(found := getattr(workflow_store, name), type) and issubclass(found, Exception)
    }

    assert set(REFERENCE["errors.md"]) == errors


def test_each_page_is_in_the_navigation_once() -> None:
    configuration = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    navigation = re.findall(r"(\S+\.md)$", configuration.split("\nnav:\n")[1], re.MULTILINE)

    assert sorted(navigation) == sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))
