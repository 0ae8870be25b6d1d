"""The list of public names: sorted, complete, and equal to what is imported."""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
from pathlib import Path

import pytest

import workflow_store
from workflow_store import database, errors, ingest, models, repository

PACKAGES = [workflow_store, database, ingest, models, repository]


def imported_names(path: str) -> set[str]:
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    return {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for alias in node.names
    }


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_the_public_names_are_what_is_imported(package: object) -> None:
    path = inspect.getsourcefile(package)  # type: ignore[arg-type]
    assert path is not None

    assert set(package.__all__) == imported_names(path)  # type: ignore[attr-defined]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_the_public_names_are_sorted_and_there(package: object) -> None:
    names: list[str] = package.__all__  # type: ignore[attr-defined]

    # Constants first, then classes, then functions, as ruff sorts them.
    assert names == sorted(names, key=lambda name: (not name.isupper(), name[0].islower(), name))
    assert all(hasattr(package, name) for name in names)


def test_every_exception_is_public() -> None:
    exceptions = {
        name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, errors.StoreError)
    }

    assert exceptions <= set(workflow_store.__all__)


def test_public_classes_say_where_they_live_under_the_package() -> None:
    for name in workflow_store.__all__:
        assert getattr(workflow_store, name).__module__.startswith("workflow_store."), name


def test_the_version_is_that_of_the_distribution() -> None:
    assert workflow_store.__version__ == importlib.metadata.version("workflow-store")


def test_the_package_is_typed() -> None:
    assert (Path(workflow_store.__file__).parent / "py.typed").is_file()
