"""The options that filter are those of the library, in every verb that filters."""

from __future__ import annotations

from dataclasses import fields

import pytest

from workflow_store.cli import app
from workflow_store.cli.filters import ALL, Filters
from workflow_store.repository.filters import FILTERS


def test_every_filter_of_the_library_is_an_option_and_no_other() -> None:
    assert {field.name for field in fields(Filters)} == set(FILTERS)


def test_without_an_option_nothing_is_filtered() -> None:
    assert set(ALL.given.values()) == {None}


@pytest.mark.parametrize("verb", ["list", "count", "search"])
def test_a_verb_that_filters_has_the_whole_group(verb: str) -> None:
    arguments = app[verb].assemble_argument_collection(parse_docstring=True)

    names = {name for argument in arguments for name in argument.names}

    assert {f"--{name.replace('_', '-')}" for name in FILTERS} <= names
