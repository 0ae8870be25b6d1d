"""The tree of exceptions: as drawn, and carrying what callers need."""

from __future__ import annotations

import copy
import inspect
import pickle
import re

import pytest

from workflow_store import errors
from workflow_store.models import IngestReport

ALL = {
    name: value
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, Exception) and value.__module__ == errors.__name__
}
MADE: list[errors.StoreError] = [
    errors.InvalidField("order_by", "'x' is no order", ["views", "title"]),
    errors.AlreadyExists("w1"),
    errors.InvalidRecord("metadata.title", "a NUL character"),
    errors.InvalidJson("not UTF-8 at byte 3"),
    errors.DocumentTooLarge("a document of 2 bytes"),
    errors.IngestError("bad", IngestReport(inserted=3), 7),
    errors.ServerUnavailable("gone", "57P01"),
    errors.IntegrityViolation("refused", "23505", "workflows_pkey"),
    errors.SchemaMissing("make it"),
]


def drawn_tree() -> dict[str, str | None]:
    """Each name in the drawing with the name it hangs on."""
    assert errors.__doc__ is not None
    parents: dict[str, str | None] = {}
    branch: list[str] = []
    for line in errors.__doc__.splitlines():
        found = re.match(r"    ((?:[│ ]   )*(?:[├└]── )?)([A-Z]\w+)", line)
        if found is None:
            continue
        level = len(found[1]) // 4
        branch[level:] = [found[2]]
        parents[found[2]] = branch[level - 1] if level else None
    return parents


def test_the_tree_is_as_it_is_drawn() -> None:
    real = {name: None if Exception in kind.__bases__ else kind.__bases__[0].__name__ for name, kind in ALL.items()}

    assert drawn_tree() == real


def test_every_exception_says_what_it_means() -> None:
    assert [name for name, kind in ALL.items() if not kind.__doc__] == []


def test_every_exception_is_a_store_error() -> None:
    assert all(issubclass(kind, errors.StoreError) for kind in ALL.values())


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (errors.InvalidField("order_by", "'x' is no order", ["b", "a"]), "order_by: 'x' is no order; allowed: a, b"),
        (errors.InvalidField("limit", "1 to 5, not 9"), "limit: 1 to 5, not 9"),
        (errors.AlreadyExists("w\n1"), "workflow 'w\\n1' already exists"),
        (errors.InvalidRecord("metadata.title", "too long"), "metadata.title: too long"),
        (errors.IngestError("bad", IngestReport()), "bad"),
        (errors.IngestError("bad", IngestReport(), 0), "record 0: bad"),
    ],
)
def test_the_message_names_what_is_at_fault(error: errors.StoreError, message: str) -> None:
    assert str(error) == message


def test_attributes_say_the_same_as_the_message() -> None:
    report = IngestReport()

    assert errors.InvalidField("f", "r", ["b", "a"]).allowed == ("a", "b")
    assert errors.InvalidField("f", "r").field == "f"
    assert errors.AlreadyExists("w").workflow_id == "w"
    assert errors.InvalidRecord("f", "r").reason == "r"
    assert errors.InvalidJson("r").reason == "r"
    assert errors.IngestError("r", report, 3).position == 3
    assert errors.IngestError("r", report).report is report
    assert errors.ServerError("m").sqlstate is None
    assert errors.IntegrityViolation("m", "23505", "c").constraint == "c"
    assert errors.IntegrityViolation("m", "23505", "c").sqlstate == "23505"


@pytest.mark.parametrize("error", MADE, ids=lambda error: type(error).__name__)
def test_an_exception_survives_the_way_between_processes(error: errors.StoreError) -> None:
    # One that does not breaks a whole concurrent.futures.ProcessPoolExecutor.
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error)
        assert str(twin) == str(error)
        assert vars(twin) == vars(error)
