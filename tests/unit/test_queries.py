"""Queries as typed values, and statements joined from fragments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from workflow_store import resources
from workflow_store.queries import catalogue, query, search
from workflow_store.queries.query import Copy, Query, join

CATALOGUE: list[Query[Any, *tuple[Any, ...]]] = [
    value for module in (catalogue, search) for value in vars(module).values() if isinstance(value, Query)
]


class Pair(NamedTuple):
    one: int
    other: str


@pytest.fixture
def fragments(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Files by name, in place of those of ``sql/``."""
    files: dict[str, str] = {}
    monkeypatch.setattr(query, "statement", files.__getitem__)
    query._body.cache_clear()
    yield files
    query._body.cache_clear()


def test_a_misspelt_name_fails_where_the_query_is_made() -> None:
    with pytest.raises(FileNotFoundError):
        Query[None]("workflow/gett")


def test_an_incomplete_installation_says_what_is_missing() -> None:
    with pytest.raises(FileNotFoundError, match="the folder 'nowhere' is missing from this installation"):
        resources.folder("nowhere")


def test_a_query_knows_its_types() -> None:
    typed = Query[Pair, int, str | None]("any", "SELECT $1, $2")

    assert typed.row is Pair
    assert typed.parameters == (int, str | None)
    assert repr(typed) == "Query('any')"


def test_a_row_is_read_by_position_into_its_type() -> None:
    assert Query[Pair]("any", "").read((1, "a")) == Pair(1, "a")
    assert Query[int]("any", "").read((1,)) == 1


def test_a_copy_has_the_columns_of_its_rows() -> None:
    target = Copy("pairs", Pair)

    assert target.columns == ("one", "other")
    assert repr(target) == "Copy('pairs')"


@pytest.mark.parametrize("typed", CATALOGUE, ids=lambda typed: typed.name)
def test_every_statement_uses_exactly_its_parameters(typed: Query[Any, *tuple[Any, ...]]) -> None:
    code = "\n".join(line for line in typed.text.splitlines() if not line.lstrip().startswith("--"))

    assert {int(number) for number in re.findall(r"\$(\d+)", code)} == set(range(1, len(typed.parameters) + 1))


@pytest.mark.parametrize("typed", CATALOGUE, ids=lambda typed: typed.name)
def test_every_statement_opens_with_a_comment_that_names_its_parameters(
    typed: Query[Any, *tuple[Any, ...]],
) -> None:
    comment = "\n".join(line for line in typed.text.splitlines() if line.startswith("--"))

    assert typed.text.startswith("-- ")
    for number in (1, len(typed.parameters)) if typed.parameters else ():
        assert re.search(rf"\$({number}\b|1(…|\.\.))", comment), f"${number}"


def test_no_statement_has_two_names() -> None:
    names = [typed.name for typed in CATALOGUE]

    assert sorted(names) == sorted(set(names))


def test_joined_fragments_number_their_parameters_through(fragments: dict[str, str]) -> None:
    fragments |= {
        "a": "-- Opens.\n-- $1 this, $2 that\nSELECT $1, $2\n",
        "b": "AND x = $1 OR y = $1",
        "c": "LIMIT $1 -- no longer than $1",
        "plain": "WHERE true",
    }

    text, arguments = join([("a", (1, 2)), ("plain", ()), ("b", ("x",)), ("c", (9,))])

    assert text == "SELECT $1, $2\nWHERE true\nAND x = $3 OR y = $3\nLIMIT $4 -- no longer than $4"
    assert arguments == [1, 2, "x", 9]


def test_numbers_of_two_digits_are_renumbered_as_a_whole(fragments: dict[str, str]) -> None:
    fragments |= {"many": " ".join(f"${number}" for number in range(1, 12)), "after": "$1 $10 $11 $2"}

    text, arguments = join([("many", tuple(range(11))), ("after", tuple(range(11)))])

    assert text.splitlines()[1] == "$12 $21 $22 $13"
    assert len(arguments) == 22


def test_nothing_joined_is_nothing() -> None:
    assert join([]) == ("", [])
