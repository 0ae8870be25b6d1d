"""JSON text: what is refused before it reaches the server, and with which words."""

from __future__ import annotations

import contextlib
import json
import tracemalloc
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NoReturn

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workflow_store.errors import DocumentTooLarge, InvalidJson
from workflow_store.models.decoding import check_depth, decode, decode_members, encode_text, item_texts
from workflow_store.models.json import Json, equal_values

# Numbers of thousands of digits make poor names of tests.
NUMBERED = [str(number) for number in range(50)]
SPACE = st.text(alphabet=" \t\r\n", max_size=3)
TRICKY = st.text(alphabet='[]{}"\\,: a\n\u2028é😀', max_size=12)
PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TRICKY),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TRICKY, inner, max_size=4),
    max_leaves=20,
)


def refusal(text: bytes | str, **limits: int) -> str:
    with pytest.raises(InvalidJson) as caught:
        Json.parse(text, **limits)
    return caught.value.reason


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (r'"\u0000"', r"a NUL character (\u0000) at $"),
        (r'{"a":[1,{"b":"x\u0000"}]}', r"a NUL character (\u0000) at $.a[1].b"),
        (r'{"a":{"\u0000":1}}', r"a NUL character (\u0000) at a key of $.a"),
        (r'"\\\u0000"', r"a NUL character (\u0000) at $"),
        (
            r'{"a":"\u0000","a":1}',
            r"a NUL character (\u0000) at a member that a later one of the same name replaces",
        ),
        (r'["\ud800"]', "a lone surrogate (half a character) at $[0]"),
        (r'["\uDBFF"]', "a lone surrogate (half a character) at $[0]"),
        (r'{"a":"\ude00\ud83d"}', "a lone surrogate (half a character) at $.a"),
        (r'{"\udc00":1}', "a lone surrogate (half a character) at a key of $"),
        (r'"\ud83d\ud83d\ude00"', "a lone surrogate (half a character) at $"),
        (r'"\ud83d\\ude00"', "a lone surrogate (half a character) at $"),
        (r'"\ud83d\n\ude00"', "a lone surrogate (half a character) at $"),
        (
            r'{"a":"\ud800","a":1}',
            "a lone surrogate (half a character) at a member that a later one of the same name replaces",
        ),
        ('"\ud800"', "a lone surrogate (half a character) at character 1"),
        ('"\x00"', "Invalid control character at line 1, column 2"),
        ('"\n"', "Invalid control character at line 1, column 2"),
        (b'{"a":"\xff"}', "not UTF-8 at byte 6"),
        (b'"\xed\xa0\x80"', "not UTF-8 at byte 1"),
        (b"\xef\xbb\xbf1", "Expecting value at line 1, column 1"),
        ("{}\n x", "Extra data at line 2, column 2"),
        ("1 2", "Extra data at line 1, column 3"),
        ("", "Expecting value at line 1, column 1"),
        (" ", "Expecting value at line 1, column 2"),
        ("NaN", "NaN is not JSON"),
        ("[Infinity]", "Infinity is not JSON"),
        ('{"a":-Infinity}', "-Infinity is not JSON"),
        ("1e131072", "the number 1e131072 is beyond what PostgreSQL holds"),
        ("1e-16384", "the number 1e-16384 is beyond what PostgreSQL holds"),
        ("0e-16384", "the number 0e-16384 is beyond what PostgreSQL holds"),
        ("0e1073741823", "the number 0e1073741823 is beyond what PostgreSQL holds"),
        ("[1e99999999999999999999]", "the number 1e99999999999999999999 is beyond what PostgreSQL holds"),
        ("1." + "0" * 16_384, f"the number 1.{'0' * 38} is beyond what PostgreSQL holds"),
        ("-" + "1" * 131_073, "an integer of 131,073 digits; PostgreSQL holds 131,072"),
        ("'a'", "Expecting value at line 1, column 1"),
        ('"a', "Unterminated string starting at line 1, column 1"),
        (r'"\x"', "Invalid \\escape at line 1, column 2"),
        ("01", "Extra data at line 1, column 2"),
    ],
    ids=NUMBERED[:37],
)
def test_what_postgresql_would_refuse_is_refused_with_its_place(text: bytes | str, reason: str) -> None:
    assert refusal(text) == reason


@pytest.mark.parametrize("text", ["[1,]", '{"a":1,}', "+1", ".5", "{1:2}", '{"a" 1}', "[1 2]", "nul", "tru", "[", "{"])
def test_what_is_not_json_is_refused_with_line_and_column(text: str) -> None:
    assert " at line 1, column " in refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        r'"\\u0000"',
        r'"\\\\u0000"',
        r'"\\ud800"',
        r'"\ud83d\ude00"',
        r'"\uD83D\uDE00"',
        r'"\\\ud83d\ude00"',
        r'"\ud83d\ude00\ud83d\ude00"',
        r'"\ud7ff\ue000"',
        '{"":{"":[]}}',
        '"\u2028\u2029\u200f\u202e"',
        '"👩‍👩‍👧‍👦"',
        '"\x7f\x80"',
        "1." + "0" * 16_383,
        "0e1073741822",
        "1" * 131_072,
    ],
    ids=NUMBERED[:15],
)
def test_what_postgresql_holds_is_kept_as_it_is(text: str) -> None:
    document = Json.parse(text, max_bytes=200_000)

    assert document.raw == text.encode()
    assert Json(document.value) == document


def test_text_and_bytes_are_taken_alike() -> None:
    assert Json.parse('"é"') == Json.parse('"é"'.encode())


@pytest.mark.parametrize("opening", ["[", '{"k":'])
@pytest.mark.parametrize(("levels", "fits"), [(511, True), (512, True), (513, False)])
def test_512_levels_are_allowed(opening: str, levels: int, *, fits: bool) -> None:
    text = opening * levels + "1" + opening.replace("[", "]").replace('{"k":', "}") * levels

    if fits:
        assert Json.parse(text).raw == text.encode()
    else:
        assert refusal(text) == "nested deeper than 512 levels"


@pytest.mark.parametrize("levels", [1_000, 8_000, 20_000, 1_000_000])
@pytest.mark.parametrize("closed", [True, False])
def test_deep_nesting_is_refused_at_once(levels: int, *, closed: bool) -> None:
    assert refusal("[" * levels + "]" * levels * closed) == "nested deeper than 512 levels"


@pytest.mark.parametrize("levels", [8_000, 20_000, 200_000])
def test_depth_beyond_the_process_is_an_invalid_document_and_no_recursion_error(levels: int) -> None:
    text = "[" * levels + "]" * levels

    # Which Python reads how many levels differs; none reads 200,000.
    with contextlib.ExitStack() as refused:
        if levels == 200_000:
            refused.enter_context(pytest.raises(InvalidJson, match="nested deeper than this process can read"))
        else:
            refused.enter_context(contextlib.suppress(InvalidJson))
        Json.parse(text, max_depth=levels)


def test_members_beyond_the_process_are_an_invalid_document_too() -> None:
    with pytest.raises(InvalidJson, match="nested deeper than this process can read"):
        decode_members('{"a":' + "[" * 200_000)


def test_the_place_of_a_bad_string_is_told_at_any_depth() -> None:
    reason = refusal('{"a long name": [' * 400 + r'"\u0000"' + "]}" * 400, max_depth=800)

    assert reason.startswith(r"a NUL character (\u0000) at $.a long name[0].a long name[0]")
    assert len(reason) < 600
    assert reason.endswith("…")


def peak_bytes(work: Callable[[], object]) -> int:
    """The most that Python's own allocations grew to meanwhile."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_place_of_a_bad_string_costs_no_memory_for_its_neighbours() -> None:
    # Each neighbour has a path of 41 kB; spelling them all out would take 800 MB.
    text = f'{{"{"k" * 80}":' * 500 + "[" + "0," * 20_000 + r'"\u0000"]' + "}" * 500

    peak = peak_bytes(lambda: refusal(text))

    assert peak < 50_000_000


def test_the_place_of_a_bad_string_can_be_printed() -> None:
    reason = refusal(r'{"\ud800":["\u0000"]}')

    assert reason == r"a NUL character (\u0000) at $.\ud800[0]"


def test_a_million_backslashes_are_no_burden() -> None:
    text = '"' + "\\\\" * 1_000_000 + r'\ud83d\ude00"'

    peak = peak_bytes(lambda: Json.parse(text))

    assert peak < 10 * len(text)


def test_a_million_keys_are_allowed() -> None:
    text = "{" + ",".join(f'"k{number}":0' for number in range(1_000_000)) + "}"

    assert len(Json.parse(text).value) == 1_000_000


def test_a_long_string_is_allowed_up_to_the_limit() -> None:
    text = '"' + "x" * (10 * 1024 * 1024) + '"'

    assert len(Json.parse(text)) == len(text)
    with pytest.raises(DocumentTooLarge, match="a document of 10,485,762 bytes; at most 10,000,000 are allowed"):
        Json.parse(text, max_bytes=10_000_000)


def test_a_document_of_limit_bytes_fits_and_one_more_does_not() -> None:
    assert Json.parse('"é"', max_bytes=4).value == "é"
    with pytest.raises(DocumentTooLarge):
        Json.parse('"é"', max_bytes=3)


@given(PLAIN, st.booleans())
@example(["\\", "]", "[", '"', '\\"[', "\\\\"], False)
def test_the_depth_is_counted_as_a_decoder_would(value: Any, escaped: bool) -> None:
    raw = json.dumps(value, ensure_ascii=escaped).encode()
    depth = depth_of(value)

    check_depth(raw, depth)
    if depth:
        with pytest.raises(InvalidJson, match=f"nested deeper than {depth - 1} levels"):
            check_depth(raw, depth - 1)


@given(st.lists(st.tuples(TRICKY, PLAIN, SPACE), max_size=6), SPACE)
def test_members_are_decoded_beside_their_own_text(members: list[tuple[str, Any, str]], space: str) -> None:
    spelt = ",".join(
        f"{gap}{json.dumps(key)}{gap}:{gap}{json.dumps(value, indent=1)}{gap}" for key, value, gap in members
    )
    text = f"{space}{{{space}{spelt}}}{space}"

    values, texts = decode_members(text)

    assert values == json.loads(text)
    assert list(texts) == list(values)
    for key, value in values.items():
        assert texts[key] == texts[key].strip()
        assert decode(texts[key]) == value


def test_of_repeated_members_the_last_one_counts() -> None:
    values, texts = decode_members('{"a": 1e2, "b": 0, "a": [2, "x"]}')

    assert values == {"a": [2, "x"], "b": 0}
    assert texts == {"a": '[2, "x"]', "b": "0"}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"a"',
        '{"a":',
        '{"a":1',
        '{"a":1,',
        '{"a":1 "b":2}',
        '{"a" 1}',
        "{1:2}",
        '{"a":1}}',
        '{"a":\n\n tru}',
        '{"a\n":1}',
        '{"a":"x}',
    ],
)
def test_a_bad_object_is_refused_where_json_loads_refuses_it(text: str) -> None:
    with pytest.raises(json.JSONDecodeError) as theirs:
        json.loads(text)
    with pytest.raises(InvalidJson) as ours:
        decode_members(text)

    assert ours.value.reason.endswith(f" at line {theirs.value.lineno}, column {theirs.value.colno}")


def test_a_comma_before_the_end_of_an_object_is_refused_at_what_follows_it() -> None:
    with pytest.raises(InvalidJson, match=r"Expecting property name .* at line 1, column 8$"):
        decode_members('{"a":1,}')


@pytest.mark.parametrize("text", ["[1]", "1", "null", "", "x" * 1_000])
def test_members_need_an_object(text: str) -> None:
    with pytest.raises(InvalidJson, match="an object was expected, not ") as caught:
        decode_members(text)

    assert len(caught.value.reason) < 60


def test_members_are_held_to_the_range_of_numbers() -> None:
    with pytest.raises(InvalidJson, match="beyond what PostgreSQL holds"):
        decode_members('{"a": 1e99999999999999999999}')
    with pytest.raises(InvalidJson, match="NaN is not JSON"):
        decode_members('{"a": [NaN]}')


@given(st.lists(PLAIN, max_size=5), SPACE)
def test_items_are_the_text_they_were_written_as(items: list[Any], space: str) -> None:
    spelt = [json.dumps(item, indent=1) for item in items]
    text = f"{space}[{space}{(space + ',' + space).join(spelt)}{space}]{space}"

    assert list(item_texts(text)) == spelt


def refuse(constant: str) -> NoReturn:
    raise json.JSONDecodeError(constant, constant, 0)


# Too short for a number beyond the range, which json.loads does not mind.
@given(st.text(max_size=7) | st.text(alphabet='[]{}",:\\unltresfa 019.-', max_size=7))
def test_any_text_is_decoded_as_json_loads_does_or_refused(text: str) -> None:
    try:
        expected: Any = json.loads(text, parse_float=Decimal, parse_constant=refuse)
    except json.JSONDecodeError:
        with pytest.raises(InvalidJson):
            decode(text)
    else:
        assert equal_values(decode(text), expected)


def test_text_is_utf8_or_refused() -> None:
    assert encode_text("é😀") == "é😀".encode()
    with pytest.raises(InvalidJson, match=r"a lone surrogate \(half a character\) at character 1,000"):
        encode_text("x" * 1_000 + "\udfff")


def test_numbers_that_would_fill_a_gigabyte_when_they_are_read_are_refused() -> None:
    exponents = "[" + ",".join(["1e131071"] * 129) + "]"
    ordinary = "[" + ",".join(["1e299", "2.5", "1E400"] * 5_000) + "]"

    with pytest.raises(InvalidJson, match="spelt out"):
        Json.parse(exponents)
    with pytest.raises(InvalidJson, match="spelt out"):
        Json([Decimal("1e131071")] * 129)

    assert len(Json.parse(ordinary).value) == 15_000
