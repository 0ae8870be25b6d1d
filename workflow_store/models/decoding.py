"""JSON text on its way in: decoded with every digit kept, or refused where PostgreSQL could not hold it."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from itertools import accumulate
from typing import Any, Final, NoReturn, TypeGuard

from workflow_store.errors import InvalidJson

# PostgreSQL's numeric: 131,072 digits before the point, 16,383 after it; a zero may have any exponent that it can read.
_MAX_INTEGER_DIGITS: Final = 131_072
_MAX_FRACTION_DIGITS: Final = 16_383
_MAX_EXPONENT: Final = 2**30 - 2
# jsonb spells every digit out when it is read: a few kilobytes of exponents could become more than a gigabyte of text.
_MAX_SPELT_DIGITS: Final = 16 * 1024 * 1024
_SPELT_OUT: Final = 300
# No process can be told to refuse int() of so few digits (a guard of CPython's against quadratic time).
_ALWAYS_AN_INT: Final = sys.int_info.str_digits_check_threshold

_WHITESPACE = re.compile(r"[ \t\n\r]*")
_read_key: Callable[[str, int], tuple[str, int]] = json.decoder.scanstring  # type: ignore[attr-defined]
_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_BARE_STRING = re.compile(rb'"[^"]*"')
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
_NO_STRUCTURE = bytes(set(range(256)) - set(b'"[]{}'))
_ALIKE = bytes.maketrans(b"[]", b"{}")
_OPENING: Final = ord("{")
_FEW_LEVELS: Final = 32


class _Spelt(threading.local):
    """The digits that the long exponents of the document at hand stand for, in this thread."""

    digits = 0


_spelt = _Spelt()


def begin_document() -> None:
    """Count the digits of a document's numbers anew."""
    _spelt.digits = 0


def count_digits(number: Decimal) -> None:
    """Add the digits a number stands for, where its exponent is long.

    Raises:
        InvalidJson: with those before it, they are more than a document may have.
    """
    digits = abs(number.adjusted())
    if digits > _SPELT_OUT and number:
        _spelt.digits += digits
        if _spelt.digits > _MAX_SPELT_DIGITS:
            raise InvalidJson(f"numbers that are more than {_MAX_SPELT_DIGITS:,} digits long when they are spelt out")


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a decoded value is a JSON object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether a decoded value is a JSON array."""
    return isinstance(value, list)


def decode(text: bytes | str) -> Any:
    """Decode JSON with every digit kept.

    Raises:
        InvalidJson: not JSON, not UTF-8, or a number that PostgreSQL can't hold; the reason says where.
    """
    begin_document()
    try:
        return _DECODER.decode(text if isinstance(text, str) else text.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InvalidJson(f"not UTF-8 at byte {error.start:,}") from None
    except json.JSONDecodeError as error:
        raise _refusal(error) from None
    except RecursionError:
        raise InvalidJson("nested deeper than this process can read") from None


def decode_members(text: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Decode a JSON object and keep, beside each member's value, the text it was written as.

    A source's own bytes can then be stored untouched, although their line was decoded to look at it.

    Raises:
        InvalidJson: not JSON, or not an object.
    """
    values: dict[str, Any] = {}
    texts: dict[str, str] = {}
    begin_document()
    try:
        at = _skip(text, 0)
        if text[at : at + 1] != "{":
            raise InvalidJson(f"an object was expected, not {text[at : at + 20]!r}")
        at = _skip(text, at + 1)
        if text[at : at + 1] == "}":
            at += 1
        else:
            while True:
                if text[at : at + 1] != '"':
                    raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, at)
                key, at = _read_key(text, at + 1)
                at = _skip(text, at)
                if text[at : at + 1] != ":":
                    raise json.JSONDecodeError("Expecting ':' delimiter", text, at)
                start = _skip(text, at + 1)
                values[key], at = _DECODER.raw_decode(text, start)
                texts[key] = text[start:at]
                at = _skip(text, at)
                if text[at : at + 1] != ",":
                    break
                at = _skip(text, at + 1)
            if text[at : at + 1] != "}":
                raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
            at += 1
        at = _skip(text, at)
        if at != len(text):
            raise json.JSONDecodeError("Extra data", text, at)
    except json.JSONDecodeError as error:
        raise _refusal(error) from None
    except RecursionError:
        raise InvalidJson("nested deeper than this process can read") from None
    return values, texts


def item_texts(text: str) -> Iterator[str]:
    """The text of each item of a JSON array that was decoded before."""
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "]":
        start = at
        at = _DECODER.raw_decode(text, start)[1]
        yield text[start:at]
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)


def check_depth(raw: bytes, limit: int) -> None:
    """Refuse text with more than ``limit`` arrays and objects in one another, without decoding it.

    Raises:
        InvalidJson: it is nested deeper.
    """
    # The number of opening brackets bounds the depth, and counting them costs next to nothing.
    every = raw.translate(_ALIKE, _NO_BRACKET)
    opening = every.count(b"{")
    if opening <= limit:
        return
    # So does, at any place, what was opened before it, and what is closed after it; unless nothing is closed at all.
    middle = len(every) // 2
    unclosed = 2 * opening - len(every)
    if max(unclosed, every.count(b"{", 0, middle), every.count(b"}", middle)) <= limit:
        return
    # Without escapes and everything else that is neither quote nor bracket, a string is what lies between two quotes.
    bare = _ESCAPE.sub(b"", raw).translate(_ALIKE, _NO_STRUCTURE)
    # Two quotes side by side are an empty string, or an end and a start, which can as well be one string.
    brackets = _BARE_STRING.sub(b"", bare.replace(b'""', b""))
    # What holds nothing is taken away, and what held only that, and so on: a level each time. The few levels that most
    # documents have go fast; what is left then is counted bracket by bracket.
    levels = 0
    while brackets and levels < _FEW_LEVELS:
        brackets = brackets.replace(b"{}", b"")
        levels += 1
    if levels + max(accumulate(1 if step == _OPENING else -1 for step in brackets), default=0) > limit:
        raise InvalidJson(f"nested deeper than {limit} levels")


def encode_text(text: str) -> bytes:
    """UTF-8 of a text.

    Raises:
        InvalidJson: it holds a lone surrogate.
    """
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidJson(f"a lone surrogate (half a character) at character {error.start:,}") from None


def _skip(text: str, at: int) -> int:
    found = _WHITESPACE.match(text, at)
    return at if found is None else found.end()


def _refusal(error: json.JSONDecodeError) -> InvalidJson:
    # Some of json's own messages end where a place would follow.
    return InvalidJson(f"{error.msg.removesuffix(' at')} at line {error.lineno}, column {error.colno}")


def _read_int(literal: str) -> int:
    if len(literal) <= _ALWAYS_AN_INT:
        return int(literal)
    digits = len(literal.lstrip("-"))
    if digits > _MAX_INTEGER_DIGITS:
        raise InvalidJson(f"an integer of {digits:,} digits; PostgreSQL holds {_MAX_INTEGER_DIGITS:,}")
    return int(Decimal(literal))


def _read_float(literal: str) -> float | Decimal:
    try:
        exact = Decimal(literal)
    except InvalidOperation:
        # An exponent that not even Decimal can hold; in a context without this trap it is NaN.
        raise beyond_numeric(literal) from None
    # Most numbers are short enough that their digits need no counting.
    if (exact.is_nan() or len(literal) + abs(exact.adjusted()) > _MAX_FRACTION_DIGITS) and not fits_numeric(exact):
        raise beyond_numeric(literal)
    count_digits(exact)
    number = float(literal)
    # inf - inf is nan
    return number if number - number == 0 and Decimal(repr(number)) == exact else exact


def fits_numeric(number: Decimal) -> bool:
    """Whether PostgreSQL can hold a number with all its digits."""
    exponent = number.as_tuple().exponent
    return (
        isinstance(exponent, int)
        and -_MAX_FRACTION_DIGITS <= exponent <= _MAX_EXPONENT
        and (number.is_zero() or number.adjusted() < _MAX_INTEGER_DIGITS)
    )


def beyond_numeric(spelt: str) -> InvalidJson:
    """The refusal of a number by its first digits."""
    return InvalidJson(f"the number {spelt[:40]} is beyond what PostgreSQL holds")


def _refuse_constant(literal: str) -> NoReturn:
    raise InvalidJson(f"{literal} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_int=_read_int, parse_float=_read_float, parse_constant=_refuse_constant)
