"""``Json``: a JSON document as the bytes it is stored as, decoded only when somebody looks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final, NoReturn

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from workflow_store.errors import DocumentTooLarge, InvalidJson
from workflow_store.models.decoding import (
    begin_document,
    beyond_numeric,
    check_depth,
    count_digits,
    decode,
    encode_text,
    fits_numeric,
    is_array,
    is_object,
)
from workflow_store.models.plain import PLAIN_LEVELS, is_plain, repeated_keys

DEFAULT_MAX_BYTES: Final = 16 * 1024 * 1024
DEFAULT_MAX_DEPTH: Final = 512

_PATH_SHOWN: Final = 500
_SURROGATE_PAIR = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
# Where none is found there is neither NUL nor half a character; to search for it takes less than half of "in".
_DOUBTFUL_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Json:
    """An immutable JSON document.

    Holds the encoded bytes. ``value`` decodes them at each call: integers exactly, other numbers as ``float``, or as
    ``Decimal`` where a float would lose digits. ``==`` compares values as JSON does: the order of keys and the spelling
    of numbers do not matter, ``true`` is not ``1``.
    """

    __slots__ = ("_levels", "raw")

    raw: bytes
    repeated_keys: ClassVar[int] = 0
    """Keys that came twice in one object, of which only the last is stored; counted by ``parse``, or by ``check``."""
    is_counted_late: ClassVar[bool] = False
    """Whether it is ``check`` that counts them."""
    # What the last check found: no deeper than this, no NUL, no half characters. None where nobody has looked yet.
    _levels: int | None

    def __init__(self, value: Any) -> None:
        """Encode a Python value: dict, list, tuple, str, int, float, Decimal, bool, None, and Json inside them.

        Keys that are numbers, booleans or None become strings, as ``json.dumps`` writes them.

        Raises:
            InvalidJson: the value holds something JSON can't (NaN, a set, a tuple as a key, a cycle), or a number
                beyond PostgreSQL's range.
        """
        _set_raw(self, value.raw if isinstance(value, Json) else _encode(value))
        _set_levels(self, value._levels if isinstance(value, Json) else None)

    @classmethod
    def parse(
        cls, text: bytes | str, *, max_bytes: int = DEFAULT_MAX_BYTES, max_depth: int = DEFAULT_MAX_DEPTH
    ) -> Json:
        """Take JSON text as it is, after making sure that PostgreSQL can store it.

        Raises:
            InvalidJson: not JSON, not UTF-8, or holding what ``jsonb`` can't: NUL, a lone surrogate, a number beyond
                its range, more than ``max_depth`` levels.
            DocumentTooLarge: more than ``max_bytes``.
        """
        document = cls.trusted(text if isinstance(text, bytes) else encode_text(text))
        document.check(max_bytes=max_bytes, max_depth=max_depth)
        # Decoding is what proves the syntax and the numbers.
        repeated = repeated_keys(document.raw, document.value)
        if repeated:
            document = _Repeating.proven(document.raw, max_depth)
            object.__setattr__(document, "repeated_keys", repeated)
        return document

    @classmethod
    def trusted(cls, raw: bytes) -> Json:
        """Take bytes that are known to be JSON, such as those the database sent, without looking at them."""
        return cls.proven(raw, None)

    @classmethod
    def proven(cls, raw: bytes, levels: int | None) -> Json:
        """Take JSON that was looked at: no NUL, no half characters, at most ``levels`` arrays and objects deep.

        None stands for a look that is still to come.
        """
        self = object.__new__(cls)
        _set_raw(self, raw)
        _set_levels(self, levels)
        return self

    @classmethod
    def unread(cls, raw: bytes) -> Json:
        """Take JSON that a parser has skipped: right in its syntax, and without any escape ``\\u00XX``.

        Its characters and numbers are looked at, and keys that came twice are counted, by the first ``check``.
        """
        document = _Unread.trusted(raw)
        object.__setattr__(document, "repeated_keys", 0)
        return document

    def check(self, *, max_bytes: int = DEFAULT_MAX_BYTES, max_depth: int = DEFAULT_MAX_DEPTH) -> None:
        """Make sure that PostgreSQL can hold what valid JSON may still contain.

        Raises:
            InvalidJson: NUL, a lone surrogate, or too many levels.
            DocumentTooLarge: more than ``max_bytes``.
        """
        raw = self.raw
        if len(raw) > max_bytes:
            raise DocumentTooLarge(f"a document of {len(raw):,} bytes; at most {max_bytes:,} are allowed")
        if self._levels is not None and self._levels <= max_depth:
            return
        check_depth(raw, max_depth)
        if _DOUBTFUL_ESCAPE.search(raw) is not None:
            self._check_escapes()
        _set_levels(self, max_depth)

    def _check_escapes(self) -> None:
        # \\\\u0000 is a backslash and four digits; without the escaped backslashes every other one begins an escape.
        escapes = self.raw.replace(b"\\\\", b"  ")
        if b"\\u0000" in escapes:
            raise InvalidJson(f"a NUL character (\\u0000) at {_path_of(self.value, _holds_nul)}")
        if _SURROGATE_ESCAPE.search(_SURROGATE_PAIR.sub(b"", escapes)):
            raise InvalidJson(f"a lone surrogate (half a character) at {_path_of(self.value, _holds_surrogate)}")

    @property
    def value(self) -> Any:
        """The decoded document: dict, list, str, int, float, Decimal, bool or None; a new one at each call.

        Raises:
            InvalidJson: the bytes are not JSON (only for a document that was never checked).
        """
        return decode(self.raw)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("Json is immutable")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("Json is immutable")

    def __copy__(self) -> Json:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Json:
        return self

    def __reduce__(self) -> tuple[Callable[[bytes], Json], tuple[bytes]]:
        return Json.trusted, (self.raw,)

    # Without __hash__ on purpose: equality is by value, and hashing the value would decode it.
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Json):
            return NotImplemented
        return self.raw == other.raw or equal_values(self.value, other.value)

    def __len__(self) -> int:
        """Bytes of the encoded document."""
        return len(self.raw)

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        return self.raw.decode("utf-8")

    def __repr__(self) -> str:
        text = self.raw[:244].decode("utf-8", "replace")  # 61 characters of four bytes
        return f"Json({text[:60]}…)" if len(text) > 60 else f"Json({text})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        def from_python(value: Any) -> Json:
            try:
                return value if isinstance(value, Json) else cls(value)
            except InvalidJson as error:
                raise ValueError(str(error)) from None

        return core_schema.no_info_plain_validator_function(
            from_python,
            json_schema_input_schema=core_schema.any_schema(),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda document: document.value, when_used="json"
            ),
        )


# Past the check that a document is immutable, which object.__setattr__ would look up each time.
_set_raw: Final = vars(Json)["raw"].__set__
_set_levels: Final = vars(Json)["_levels"].__set__


class _Repeating(Json):
    """A document with keys that come twice: hardly any has some, and the others need no room for their number."""

    __slots__ = ("repeated_keys",)


class _Unread(Json):
    """A document that nobody has decoded: what did not change since it was stored never needs to be."""

    __slots__ = ("repeated_keys",)

    is_counted_late = True

    def check(self, *, max_bytes: int = DEFAULT_MAX_BYTES, max_depth: int = DEFAULT_MAX_DEPTH) -> None:
        if self._levels is None:
            if is_plain(self.raw):
                _set_levels(self, PLAIN_LEVELS)
            else:
                object.__setattr__(self, "repeated_keys", repeated_keys(self.raw, self.value))
        super().check(max_bytes=max_bytes, max_depth=max_depth)


def equal_values(left: Any, right: Any) -> bool:
    """Whether two decoded documents are the same JSON value."""
    # A stack of its own: a document within the depth limit can be deeper than Python lets functions call each other.
    pairs = [(left, right)]
    while pairs:
        one, other = pairs.pop()
        if is_object(one):
            if not is_object(other) or one.keys() != other.keys():
                return False
            pairs.extend((member, other[key]) for key, member in one.items())
        elif is_array(one):
            if not is_array(other) or len(one) != len(other):
                return False
            pairs.extend(zip(one, other, strict=True))
        elif not _equal_scalars(one, other):
            return False
    return True


def _equal_scalars(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float | Decimal) and isinstance(right, int | float | Decimal):
        return left == right if type(left) is type(right) else _exact(left) == _exact(right)
    return type(left) is type(right) and bool(left == right)


def _exact(number: float | Decimal) -> Decimal:
    # A float stands for the digits it was written with, not for the binary fraction nearest to them.
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)


def _encode(value: Any) -> bytes:
    try:
        text = _ENCODER.encode(value)
    except (_NeedsExactEncoder, ValueError, TypeError, RecursionError):
        text = _encode_exactly(value)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        # Half a character, which lies in a string: spelt as an escape it is JSON, and ``check`` knows where it is.
        return text.encode("utf-8", "backslashreplace")


class _NeedsExactEncoder(Exception):
    """The C encoder met something it can't write; the slow one decides."""


def _refuse_default(value: object) -> NoReturn:
    raise _NeedsExactEncoder


_ENCODER: Final = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_refuse_default, skipkeys=False
)


def _encode_exactly(value: Any) -> str:
    """Encode what the C encoder can't: all digits of a number, Json documents inside a value, any depth."""
    begin_document()
    texts: list[str] = []
    opened: list[tuple[Iterator[tuple[str, Any]], str, int]] = [(iter([("", value)]), "", 0)]
    inside: set[int] = set()
    while opened:
        members, closing, container = opened[-1]
        for name, item in members:
            member: object = item
            texts.append(name if not texts or texts[-1] in ("{", "[") else f",{name}")
            if not isinstance(member, Mapping | list | tuple):
                texts.append(_encode_scalar(member))
                continue
            if id(item) in inside:
                raise InvalidJson(f"a {type(item).__name__} that holds itself")
            inside.add(id(item))
            if isinstance(member, Mapping):
                texts.append("{")
                opened.append((_named(item), "}", id(item)))
            else:
                texts.append("[")
                opened.append((_unnamed(item), "]", id(item)))
            break
        else:
            opened.pop()
            inside.discard(container)
            texts.append(closing)
    return "".join(texts)


def _named(members: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    for key, member in members.items():
        if isinstance(key, int) and not isinstance(key, bool):
            yield f'"{_encode_scalar(key)}":', member
        else:
            # json decides on the spelling of a key that is not a str; the slice drops "{" and "0}".
            yield _leaf({key: 0})[1:-2], member


def _unnamed(items: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    return (("", item) for item in items)


def _encode_scalar(value: Any) -> str:
    if isinstance(value, Json):
        return str(value)
    if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        number = Decimal(value)
        if not number.is_finite():
            raise InvalidJson(f"{number} is not JSON")
        if not fits_numeric(number):
            raise beyond_numeric(str(number))
        count_digits(number)
        return str(number)
    return _leaf(value)


def _leaf(value: Any) -> str:
    try:
        return _ENCODER.encode(value)
    except _NeedsExactEncoder:
        raise InvalidJson(f"a {type(value).__name__} has no JSON form") from None
    except (ValueError, TypeError) as error:
        raise InvalidJson(str(error)) from None


def _holds_nul(text: str) -> bool:
    return "\x00" in text


def _holds_surrogate(text: str) -> bool:
    return _LONE_SURROGATE.search(text) is not None


def _path_of(value: Any, holds: Callable[[str], bool]) -> str:
    """Where in a decoded document the first string lies that holds something."""
    steps: list[str | int] = [""]
    opened: list[Iterator[tuple[str | int, Any]]] = [iter([("", value)])]
    while opened:
        for step, member in opened[-1]:
            if isinstance(step, str) and holds(step):
                return f"a key of {_spelt(steps[:-1])}"
            steps[-1] = step
            if isinstance(member, str) and holds(member):
                return _spelt(steps)
            if is_object(member):
                opened.append(iter(member.items()))
            elif is_array(member):
                opened.append(iter(enumerate(member)))
            else:
                continue
            steps.append("")
            break
        else:
            opened.pop()
            steps.pop()
    return "a member that a later one of the same name replaces"


def _spelt(steps: Iterable[str | int]) -> str:
    parts = (f"[{step}]" if isinstance(step, int) else f".{step[:80]}" for step in steps)
    # The document itself has no name; and a key may hold what a message should not.
    path = "".join(parts)[1:].encode("utf-8", "backslashreplace").decode("utf-8")
    return f"${path[:_PATH_SHOWN]}…" if len(path) > _PATH_SHOWN else f"${path}"
