"""PostgreSQL's messages on the wire, cut out of the bytes as they come by: their types, and what a client executes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

_LENGTH = 4
_SSL_REQUEST, _GSS_REQUEST, _CANCEL_REQUEST = 80877103, 80877104, 80877102
# Of a message as much is kept as can hold the names and the beginning of the statement; the rest is only counted.
_KEPT = 4096
_READ = b"QPBEC"


@dataclass(slots=True)
class Frames:
    """The messages of one direction of one connection.

    Attributes:
        starts_bare: whether the first message has no type, as a client's; a server's have one.
        counted: how many of each type have begun: ``P`` parse, ``B`` bind, ``E`` execute, ``Q`` simple query,
            ``Z`` ready for a query, ``D`` a row, …
        answers: single bytes that the server is to answer with, before any message: one for a request for encryption.
    """

    starts_bare: bool = False
    counted: Counter[str] = field(default_factory=Counter[str])
    answers: int = 0
    _head: bytes = b""
    _kind: int = 0
    _left: int = 0
    _kept: bytearray = field(default_factory=bytearray)
    _bare: bool = field(init=False)

    def __post_init__(self) -> None:
        self._bare = self.starts_bare

    def feed(self, chunk: bytes) -> Iterator[tuple[str, bytes]]:
        """The messages that end in these bytes: type and the first 4,096 bytes, where they are of interest."""
        rest = self._head + chunk
        at = 0
        while at < len(rest):
            if self._left:
                step = min(self._left, len(rest) - at)
                if self._kind in _READ and len(self._kept) < _KEPT:
                    self._kept += rest[at : at + min(step, _KEPT - len(self._kept))]
                self._left -= step
                at += step
                if not self._left:
                    yield self._ended()
                continue
            if self.answers and not self.starts_bare:
                self.answers -= 1
                at += 1
                continue
            begin = at if self._bare else at + 1
            if len(rest) < begin + _LENGTH:
                break
            length = int.from_bytes(rest[begin : begin + _LENGTH])
            if self._bare and length == 8 and len(rest) < begin + 8:
                break
            self._begin(rest, at, begin, length)
            at = begin + _LENGTH
            if not self._left:
                yield self._ended()
        self._head = rest[at:]

    def _begin(self, rest: bytes, at: int, begin: int, length: int) -> None:
        self._left = length - _LENGTH
        self._kept.clear()
        if not self._bare:
            self._kind = rest[at]
            self.counted[chr(self._kind)] += 1
            return
        self._kind = 0
        code = int.from_bytes(rest[begin + _LENGTH : begin + 8]) if length == 8 else 0
        # After a request for encryption, which is answered by one byte, the first message is still to come.
        if code in (_SSL_REQUEST, _GSS_REQUEST):
            self.answers += 1
        else:
            self._bare = False

    def _ended(self) -> tuple[str, bytes]:
        return chr(self._kind), bytes(self._kept)


@dataclass(slots=True)
class Statements:
    """Which statements a client executes, by what it has prepared and bound on its connection."""

    _prepared: dict[bytes, str] = field(default_factory=dict[bytes, str])
    _bound: dict[bytes, str] = field(default_factory=dict[bytes, str])

    def executed(self, kind: str, payload: bytes) -> str | None:
        """The text of the statement that a client's message executes, cut to 4,000 characters; None for another one."""
        if kind == "Q":
            return payload.partition(b"\0")[0].decode(errors="replace")
        if kind == "P":
            name, _, rest = payload.partition(b"\0")
            self._prepared[name] = rest.partition(b"\0")[0].decode(errors="replace")
        elif kind == "B":
            portal, _, rest = payload.partition(b"\0")
            self._bound[portal] = self._prepared.get(rest.partition(b"\0")[0], "")
        elif kind == "E":
            return self._bound.get(payload.partition(b"\0")[0], "")
        return None
