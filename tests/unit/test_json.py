"""``Json``: what it keeps, when two are equal, and what it refuses to write."""

from __future__ import annotations

import copy
import json
import pickle
import sys
from collections import ChainMap
from decimal import Decimal, localcontext
from enum import IntEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from workflow_store.errors import DocumentTooLarge, InvalidJson
from workflow_store.models.json import Json, equal_values

WHOLE_NUMBERS = st.one_of(st.integers(), st.integers(-(10**700), 10**700))
DECIMALS = st.builds(
    Decimal,
    st.tuples(st.integers(0, 1), st.lists(st.integers(0, 9), min_size=1).map(tuple), st.integers(-600, 600)),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    WHOLE_NUMBERS,
    st.floats(allow_nan=False, allow_infinity=False),
    DECIMALS,
    st.text(),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5), max_leaves=25
)


# Numbers of thousands of digits make poor names of tests.
NUMBERED = [str(number) for number in range(20)]


class Level(IntEnum):
    HIGH = 3


class Holder(BaseModel):
    document: Json | None = None


def nested(levels: int, inside: Any, key: str | None = None) -> Any:
    for _ in range(levels):
        inside = [inside] if key is None else {key: inside}
    return inside


@pytest.mark.parametrize(
    "number",
    [0, 1, -1, 2**53 + 1, 2**64 + 1, 2**70, int("7" * 40), -(2**200), 10**9_999 + 7, -(10**131_071)],
    ids=NUMBERED[:10],
)
def test_integers_are_read_and_written_exactly(number: int) -> None:
    document = Json({"number": number})

    read = Json.parse(document.raw, max_bytes=200_000).value["number"]

    assert type(read) is int
    assert read == number


def test_minus_zero_is_zero() -> None:
    assert Json.parse("-0").value == 0
    assert Json.parse("-0").raw == b"-0"
    assert Json(Decimal("-0")) == Json(0) == Json.parse("-0.0")


@pytest.mark.parametrize("text", ["0.1", "1.5", "1e2", "-2.5E-3", "5e-324", "1.7976931348623157e308", "0.0"])
def test_a_number_that_a_float_holds_is_a_float(text: str) -> None:
    read = Json.parse(text).value

    assert type(read) is float
    assert read == float(text)


@pytest.mark.parametrize(
    "text", ["1e400", "0.12345678901234567890123", "9007199254740993.0", "1e-400", "1e131071", "-1.5e-16382"]
)
def test_a_number_that_a_float_would_change_is_a_decimal(text: str) -> None:
    read = Json.parse(text).value

    assert type(read) is Decimal
    assert read == Decimal(text)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("1.0", "1"),
        ("1e2", "100"),
        ("1e23", "1" + "0" * 23),
        ("0.1", "0.10"),
        ("0.5", "5e-1"),
        ("1e400", "1" + "0" * 400),
        ("9007199254740993.0", "9007199254740993"),
        ('{"a":1,"b":[2]}', ' { "b" : [ 2.0 ] , "a" : 1 } '),
        ('"\\u00e9"', '"é"'),
        ('{"a":1,"a":2}', '{"a":2}'),
        ("-0", "0"),
    ],
)
def test_documents_with_the_same_value_are_equal(left: str, right: str) -> None:
    assert Json.parse(left) == Json.parse(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("true", "1"),
        ("false", "0"),
        ("null", "false"),
        ("[]", "{}"),
        ('"1"', "1"),
        ("[1,2]", "[2,1]"),
        ("[1]", "[1,1]"),
        ('{"a":1}', '{"a":2}'),
        ('{"a":1}', '{"b":1}'),
        ('{"a":1}', "[1]"),
        ("[1]", '{"a":1}'),
        ("0.30000000000000004", "0.3"),
        ("9007199254740992.0", "9007199254740993"),
        ("0.1", "0.1000000000000000055511151231257827"),
        ("1e400", "1e401"),
        ('"a"', "null"),
    ],
)
def test_documents_with_another_value_are_not_equal(left: str, right: str) -> None:
    assert Json.parse(left) != Json.parse(right)


def test_only_json_equals_json() -> None:
    assert Json(1) != 1
    assert Json({}).__eq__({}) is NotImplemented


def test_documents_as_deep_as_allowed_can_be_compared() -> None:
    deep = Json(nested(512, 1, key="k"))
    spelt_apart = Json.trusted(deep.raw.replace(b"1", b"1.0"))
    other = Json.trusted(deep.raw.replace(b"1", b"2"))

    assert deep == spelt_apart
    assert deep != other


def test_a_document_is_immutable() -> None:
    document = Json([1])

    with pytest.raises(AttributeError, match="immutable"):
        document.raw = b"[2]"
    with pytest.raises(AttributeError, match="immutable"):
        del document.raw
    document.value.append(2)

    assert document.raw == b"[1]"


def test_a_document_has_no_hash() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(Json(1))


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_document_survives_pickle(protocol: int) -> None:
    document = Json.parse(' {"a" : 1e400} ')

    assert pickle.loads(pickle.dumps(document, protocol)).raw == document.raw


def test_copies_are_the_document_itself() -> None:
    document = Json({"a": [1]})

    assert copy.copy(document) is document
    assert copy.deepcopy({"inside": document})["inside"] is document
    assert Json(document).raw is document.raw


def test_a_document_is_true_and_as_long_as_its_bytes() -> None:
    assert Json(None)
    assert len(Json("é")) == 4
    assert str(Json("é")) == '"é"'


@pytest.mark.parametrize(
    "text", ["[" + "1," * 1_000_000 + "1]", '"' + "😀" * 200 + '"', '"' + "é" * 59 + '"'], ids=NUMBERED[:3]
)
def test_the_repr_is_short_and_says_when_it_was_cut(text: str) -> None:
    shown = repr(Json.trusted(text.encode()))

    assert shown == f"Json({text[:60]}…)"


def test_the_repr_of_a_short_document_is_whole() -> None:
    assert repr(Json("é" * 58)) == 'Json("' + "é" * 58 + '")'


@given(VALUES)
def test_what_goes_in_comes_back(value: Any) -> None:
    assert equal_values(Json(value).value, value)


@given(VALUES)
def test_what_was_written_passes_the_parser_unchanged(value: Any) -> None:
    document = Json(value)
    assume(b"\\u0000" not in document.raw)

    assert Json.parse(document.raw).raw is document.raw


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ((1, (2, [])), "[1,[2,[]]]"),
        ({7: "a", None: "b", True: "c", 2.5: "d"}, '{"7":"a","null":"b","true":"c","2.5":"d"}'),
        ({7: Decimal(1), None: 2, True: 3, 2.5: 4, "": 5}, '{"7":1,"null":2,"true":3,"2.5":4,"":5}'),
        (Decimal("1.10"), "1.10"),
        (Decimal("1E+3"), "1E+3"),
        ([Decimal("0.12345678901234567890123"), 1.5, None, "x", True], '[0.12345678901234567890123,1.5,null,"x",true]'),
        ({"a": Json.trusted(b'{"kept" : 1e2}'), "b": [{}, []]}, '{"a":{"kept" : 1e2},"b":[{},[]]}'),
        (MappingProxyType({"a": ChainMap({"b": 1})}), '{"a":{"b":1}}'),
        ([Level.HIGH, Decimal(1)], "[3,1]"),
        ({Level.HIGH: Decimal(1)}, '{"3":1}'),
        ('"\\\n\u2028é😀\x7f', '"\\"\\\\\\n\u2028é😀\x7f"'),
    ],
)
def test_python_values_are_written_as_json_dumps_writes_them(value: Any, written: str) -> None:
    assert str(Json(value)) == written


@pytest.mark.parametrize(
    "value", [10**5_000, [-(10**5_000), 1.5], {"a": {"b": 10**5_000}}, {10**5_000: 1}, [10**131_071]], ids=NUMBERED[:5]
)
def test_integers_longer_than_pythons_own_limit_are_written(value: Any) -> None:
    # json.dumps refuses these, since Python limits int -> str to 4,300 digits.
    assert sys.get_int_max_str_digits() == 4_300

    assert json.loads(Json(value).raw, parse_int=Decimal) is not None


def test_the_shortest_limit_of_python_does_not_matter() -> None:
    digits = "8" * 2_000
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        read = Json.parse(digits).value
        written = Json(read)
    finally:
        sys.set_int_max_str_digits(before)

    assert read == int(digits)
    assert written.raw == digits.encode()


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        -float("inf"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        {1, 2},
        b"bytes",
        object(),
        {(1, 2): 3},
        {float("nan"): 1},
        1j,
    ],
)
def test_what_json_has_no_form_for_is_refused(value: Any) -> None:
    for given_value in (value, [value], {"a": value}, [Decimal(1), value]):
        with pytest.raises(InvalidJson):
            Json(given_value)


@pytest.mark.parametrize(
    "number",
    [
        Decimal("1e131072"),
        Decimal("-1e131072"),
        Decimal("1e-16384"),
        Decimal("0e-16384"),
        Decimal("0e1073741823"),
        10**131_072,
    ],
    ids=NUMBERED[:6],
)
def test_a_number_beyond_postgresqls_range_is_not_written(number: Any) -> None:
    with pytest.raises(InvalidJson, match="beyond what PostgreSQL holds") as caught:
        Json({"number": number})

    assert len(str(caught.value)) < 100


@pytest.mark.parametrize(
    "number", [Decimal("1e131071"), Decimal("1e-16383"), Decimal("0e-16383"), Decimal("0e999999"), Decimal("-0")]
)
def test_a_number_at_the_edge_of_postgresqls_range_is_written_and_read(number: Decimal) -> None:
    assert Json.parse(Json(number).raw) == Json(number)


@pytest.mark.parametrize("first", [1, Decimal(1)])
def test_a_value_that_holds_itself_is_refused(first: Any) -> None:
    items: list[Any] = [first]
    items.append({"back": items})

    with pytest.raises(InvalidJson, match="holds itself"):
        Json(items)


def test_a_value_that_occurs_twice_is_no_cycle() -> None:
    shared = [Decimal(1)]

    assert str(Json([shared, shared, {"a": shared}])) == '[[1],[1],{"a":[1]}]'


@pytest.mark.parametrize("inside", [1, Decimal(1)])
@pytest.mark.parametrize("key", [None, "k"])
def test_a_value_may_be_deeper_than_python_calls(inside: Any, key: str | None) -> None:
    document = Json(nested(5_000, inside, key))

    with pytest.raises(InvalidJson, match="nested deeper than 512 levels"):
        document.check()


@pytest.mark.parametrize("value", ["\ud800", ["\udc00", Decimal(1)], {"\ud800": 1}])
def test_half_a_character_is_written_as_an_escape_and_refused_by_the_check(value: Any) -> None:
    document = Json(value)

    assert rb"\ud800" in document.raw or rb"\udc00" in document.raw
    with pytest.raises(InvalidJson, match="lone surrogate"):
        document.check()


def test_a_nul_is_written_and_found_by_the_check() -> None:
    document = Json({"a": ["\x00"]})

    with pytest.raises(InvalidJson, match=r"NUL .* at \$\.a\[0\]"):
        document.check()


def test_a_check_that_was_passed_does_not_vouch_for_a_stricter_one() -> None:
    document = Json(nested(20, 1))
    document.check(max_depth=30)

    with pytest.raises(InvalidJson, match="nested deeper than 10 levels"):
        document.check(max_depth=10)
    with pytest.raises(DocumentTooLarge):
        Json(document).check(max_bytes=10)
    with pytest.raises(InvalidJson, match="nested deeper than 10 levels"):
        Json(document).check(max_depth=10)


def test_the_check_says_how_large_a_document_is() -> None:
    with pytest.raises(DocumentTooLarge, match="a document of 12 bytes; at most 11 are allowed"):
        Json("0123456789").check(max_bytes=11)
    Json("0123456789").check(max_bytes=12)


def test_the_decimal_context_does_not_matter() -> None:
    with localcontext() as context:
        context.prec = 3
        context.clear_traps()
        read = Json.parse("0.12345678901234567890123").value
        written = Json([Decimal("0.12345678901234567890123"), 10**5_000])
        with pytest.raises(InvalidJson, match="beyond"):
            Json.parse("1e99999999999999999999")

    assert read == Decimal("0.12345678901234567890123")
    assert equal_values(written.value, [read, 10**5_000])


def test_a_model_takes_python_values_and_names_the_field_of_a_bad_one() -> None:
    document = Json({"a": 1})

    assert Holder(document=document).document is document
    assert Holder.model_validate({"document": {"a": 1}}).document == document
    assert Holder.model_validate({"document": None}).document is None
    assert Holder(document=document).model_dump(mode="json") == {"document": {"a": 1}}
    assert "document" in Holder.model_json_schema()["properties"]
    with pytest.raises(ValidationError, match="a set has no JSON form") as caught:
        Holder.model_validate({"document": {1}})
    assert caught.value.errors()[0]["loc"] == ("document",)
