"""Every file of ``sql/`` is prepared on a live server and held against the Python that uses it."""

from __future__ import annotations

import importlib
import pkgutil
import re
import types
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
import pytest_asyncio

import workflow_store.queries
from workflow_store import Json, Settings
from workflow_store.database import Database, Session
from workflow_store.queries import Copy, Query, catalogue
from workflow_store.resources import folder, statement
from workflow_store.testing import TestServer


def defined(kind: type) -> dict[str, Any]:
    """All values of a kind that the modules of ``queries`` define, by name."""
    modules = [
        importlib.import_module(module.name)
        for module in pkgutil.iter_modules(workflow_store.queries.__path__, "workflow_store.queries.")
    ]
    return {name: value for module in modules for name, value in vars(module).items() if isinstance(value, kind)}


QUERIES = defined(Query)
COPIES = defined(Copy)
# Of backups: what goes over a connection of another driver, to another database.
ADMINISTERED = (
    "create_database", "drop_database", "shut_database", "open_database", "rename_database", "has_database",
    "end_sessions", "recovery",
)  # fmt: skip
# What can't be prepared here: DDL, the statements of the schema's own door, and those on tables that are not ours.
# Their own tests run them.
ELSEWHERE = (
    "schema/", "testing/", "media/", "original/", "roles/", "monitor/statements", "monitor/checkpoints",
    *(f"backup/{name}" for name in ADMINISTERED),
    *(f"maintenance/{name}" for name in ("analyze", "drop_index", "patience", "reindex", "vacuum")),
)  # fmt: skip

POSTGRES_TYPES: dict[type, set[str]] = {
    str: {"text"},
    int: {"int2", "int4", "int8"},
    float: {"float8"},
    bool: {"bool"},
    bytes: {"bytea"},
    datetime: {"timestamptz"},
    Json: {"jsonb"},
}


@pytest_asyncio.fixture(scope="module")
async def session(workflow_store_server: TestServer, workflow_store_template: str) -> AsyncIterator[Session]:
    """One connection for all of these tests: nothing is run, only prepared."""
    name = workflow_store_server.create_database(workflow_store_template)
    database = await Database.open(workflow_store_server.dsn_of(name), Settings.load(pool_min_size=0))
    async with database.session() as held:
        yield held
    await database.close()
    workflow_store_server.drop_database(name)


def postgres_types(annotation: Any) -> set[str]:
    if get_origin(annotation) in (Union, types.UnionType):
        return set().union(*(postgres_types(part) for part in get_args(annotation) if part is not type(None)))
    if get_origin(annotation) in (list, Sequence):
        (item,) = get_args(annotation)
        return {"record[]"} if get_origin(item) is tuple else {f"{name}[]" for name in postgres_types(item)}
    return POSTGRES_TYPES[annotation]


def declared_parameters(name: str) -> list[str]:
    """The types in the opening comment, in order of ``$1``, ``$2``, …"""
    comment = " ".join(line[3:] for line in statement(name).splitlines() if line.startswith("--"))
    found = re.findall(r"\$(\d+) \w+ (\w+(?:\[\])?)", comment)
    assert [int(number) for number, _ in found] == list(range(1, len(found) + 1)), f"{name}: parameters out of order"
    return [kind for _, kind in found]


async def prepared(session: Session, text: str) -> tuple[list[str], list[tuple[str, str]]]:
    prepared_statement = await session.connection.prepare(text)
    return (
        [spelt(parameter) for parameter in prepared_statement.get_parameters()],
        [(attribute.name, spelt(attribute.type)) for attribute in prepared_statement.get_attributes()],
    )


def spelt(kind: Any) -> str:
    names = {"_record": "record[]", "record": "record"}
    if kind.kind == "array":
        return names.get(kind.name, f"{kind.name.removesuffix('[]').lstrip('_')}[]")
    return str(kind.name)


def test_each_file_opens_with_a_comment_and_holds_one_statement() -> None:
    for path in folder("sql").rglob("*.sql"):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(folder("sql")).as_posix()
        assert text.startswith("-- "), f"{name} does not say what it returns and takes"
        if name != "schema.sql":
            body = re.sub(r"^--.*$", "", text, flags=re.MULTILINE).strip()
            assert body, f"{name} holds no statement"
            assert ";" not in body.rstrip(";") or name.startswith("schema/") or name == "roles/own_routines.sql", (
                f"{name} holds more than one statement"
            )


def test_each_file_is_used() -> None:
    used = {query.name for query in QUERIES.values()}
    fragments = {path.relative_to(folder("sql")).with_suffix("").as_posix() for path in folder("sql").rglob("*.sql")}
    loose = {
        name
        for name in fragments - used
        if not name.startswith((*ELSEWHERE, "workflow/list/", "search/")) and name != "schema"
    }
    assert loose == set()


@pytest.mark.parametrize("name", QUERIES)
async def test_parameters_and_columns_are_those_the_python_uses(session: Session, name: str) -> None:
    query: Query[Any, *tuple[Any, ...]] = QUERIES[name]

    parameters, columns = await prepared(session, query.text)

    assert parameters == declared_parameters(query.name)
    assert len(parameters) == len(query.parameters)
    for number, (kind, annotation) in enumerate(zip(parameters, query.parameters, strict=True), 1):
        assert kind in postgres_types(annotation), f"${number} is {kind}, the Python says {annotation}"
    fields = getattr(query.row, "__annotations__", None) if hasattr(query.row, "_fields") else None
    if query.row is type(None):
        assert columns == []
    elif fields is None:
        assert len(columns) == 1
        assert columns[0][1] in postgres_types(query.row)
    else:
        hints = get_type_hints(query.row)
        assert [column for column, _ in columns] == list(query.row._fields)
        for column, kind in columns:
            assert kind in postgres_types(hints[column]), f"{column} is {kind}, the Python says {hints[column]}"


@pytest.mark.parametrize("name", COPIES)
async def test_copied_columns_are_those_of_the_table(session: Session, name: str) -> None:
    target: Copy[Any] = COPIES[name]
    text = f"SELECT {', '.join(target.columns)} FROM workflow_store.{target.table}"

    _, columns = await prepared(session, text)

    hints = get_type_hints(getattr(catalogue, _values_of(name)))
    for column, kind in columns:
        assert kind in postgres_types(hints[column]), f"{column} is {kind}, the Python says {hints[column]}"


def _values_of(name: str) -> str:
    return {
        "COPY_WORKFLOWS": "WorkflowValues",
        "COPY_METADATA": "MetadataValues",
        "COPY_STRUCTURE": "StructureValues",
        "COPY_CONTENT": "ContentValues",
        "COPY_TRANSCRIPTS": "TranscriptValues",
    }[name]
