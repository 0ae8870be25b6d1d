"""The statements on media links are held against the Python that uses them."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest

from tests.integration.test_statements import declared_parameters, postgres_types, prepared
from workflow_store.database import Session
from workflow_store.media import statements
from workflow_store.media.statements import LinkRow
from workflow_store.queries import Query
from workflow_store.resources import folder

QUERIES = {name: value for name, value in vars(statements).items() if isinstance(value, Query)}


@pytest.mark.parametrize("name", QUERIES)
async def test_parameters_and_columns_are_those_the_python_uses(session: Session, name: str) -> None:
    query: Query[Any, *tuple[Any, ...]] = QUERIES[name]

    parameters, columns = await prepared(session, query.text)

    assert parameters == declared_parameters(query.name)
    assert len(parameters) == len(query.parameters)
    for kind, annotation in zip(parameters, query.parameters, strict=True):
        assert kind in postgres_types(annotation)
    hints = get_type_hints(query.row) if query.row is LinkRow else {columns[0][0]: query.row}
    assert [column for column, _ in columns] == list(hints)
    for column, kind in columns:
        assert kind in postgres_types(hints[column])


def test_each_file_is_used() -> None:
    files = {f"media/{path.stem}" for path in (folder("sql") / "media").glob("*.sql")}

    assert {query.name for query in QUERIES.values()} == files
