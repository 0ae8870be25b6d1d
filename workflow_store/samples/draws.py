"""Random choices that come out the same on every Python: only ``random()`` and ``getrandbits`` are drawn."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cache
from math import fsum
from random import Random
from struct import unpack
from typing import Final, NamedTuple, TypeVar

from workflow_store.samples import vocabulary

T = TypeVar("T")
SLOTS: Final = 65_536
PASSAGE_BYTES: Final = 41  # of a passage and the space after it, on average
PASSAGES: Final = 8_192
TOPIC: Final = 256  # passages of one record: what a byte can number
_LONG: Final = 1_000
# The hyphens, the version and the variant of a UUID, with a byte's worth of its digits.
UUID_MIDDLES: Final = tuple(f"-{byte * 257:04x}-4{byte * 13:03x}-a{byte * 7:03x}-" for byte in range(256))


class Draws:
    """The choices of one record, fixed by the seed and the record's index."""

    __slots__ = ("bits", "random", "topic")

    def __init__(self, seed: int, index: int) -> None:
        rng = Random(f"{seed}:{index}")
        self.random: Callable[[], float] = rng.random
        self.bits: Callable[[int], int] = rng.getrandbits
        self.topic: int = self.below(PASSAGES - TOPIC)

    def below(self, limit: int) -> int:
        """A whole number from 0 to ``limit - 1``."""
        return int(self.random() * limit)

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices, all equally likely."""
        return choices[int(self.random() * len(choices))]

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.random() < probability

    def slots(self, count: int) -> tuple[int, ...]:
        """Numbers from 0 to 65,535, to look up in a table made by ``zipf``."""
        return unpack(f"<{count}H", self.bits(16 * count).to_bytes(2 * count, "little")) if count else ()

    def hexadecimal(self, digits: int) -> str:
        """A string of hexadecimal digits."""
        return f"{self.bits(4 * digits):0{digits}x}"

    def uuid(self) -> str:
        """A version 4 UUID."""
        drawn = self.bits(88)
        text = f"{drawn >> 8:020x}"
        return f"{text[:8]}{UUID_MIDDLES[drawn & 255]}{text[8:]}"

    def words(self, count: int) -> str:
        """Words without a sentence around them."""
        table = words()
        return " ".join([table[slot] for slot in self.slots(count)])

    def prose(self, size: int, table: Sequence[str]) -> str:
        """Text of about ``size`` bytes, put together from one of the tables of ``passages``.

        A record keeps to its own few of them, and repeats itself as texts on one topic do.
        """
        count = max(1, size // PASSAGE_BYTES)
        if count > _LONG:
            return " ".join([table[slot % PASSAGES] for slot in self.slots(count)])
        topic = table[self.topic : self.topic + TOPIC]
        return " ".join([topic[byte] for byte in self.bits(8 * count).to_bytes(count, "little")])

    def quantile(self, knots: Sequence[float], position: float) -> float:
        """The value at ``position`` (0 to below 1) of a distribution given by its values at ``POSITIONS``."""
        right = bisect_right(POSITIONS, position)
        left = right - 1
        share = (position - POSITIONS[left]) / (POSITIONS[right] - POSITIONS[left])
        return knots[left] + share * (knots[right] - knots[left])


POSITIONS: Final = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.997, 0.999, 0.9999, 1.0)


def zipf(choices: Sequence[T], *, offset: float = 2.7, slots: int = SLOTS) -> tuple[T, ...]:
    """A table of ``slots`` in which the choice of rank r fills a share in proportion to 1 / (r + offset)."""
    weights = [1 / (rank + offset) for rank in range(len(choices))]
    scale = slots / fsum(weights)  # sum() is not the same on every Python
    table: list[T] = []
    reached = 0.0
    for choice, weight in zip(choices, weights, strict=True):
        reached += weight * scale
        table.extend([choice] * (round(reached) - len(table)))
    return tuple(table)


@cache
def words() -> tuple[str, ...]:
    """Words and phrases by their frequency."""
    distinct = list(dict.fromkeys(vocabulary.COMMON))
    # Set phrases are met about as often as words of middling rank; so are words of other languages and emoji, later.
    for place, phrase in enumerate(vocabulary.PHRASES):
        distinct.insert(12 + 3 * place, phrase)
    for place, word in enumerate(vocabulary.FOREIGN):
        distinct.insert(200 + 10 * place, word)
    rare = vocabulary.RARE[::4]
    return (*zipf(distinct, slots=SLOTS - len(rare)), *rare)


class Passages(NamedTuple):
    """Pieces of sentences, drawn once: text put together from them costs a tenth of text put together from words."""

    plain: tuple[str, ...]
    markdown: tuple[str, ...]
    escaped: tuple[str, ...]


@cache
def passages() -> Passages:
    """8,192 pieces of a few words each, half of them with the end of a sentence inside.

    In ``markdown`` some of the ends are headings and list items; ``escaped`` is the same, ready to stand in JSON.
    """
    draws = Draws(0, -1)  # an index that no record has
    plain: list[str] = []
    markdown: list[str] = []
    for place in range(PASSAGES):
        left, right = draws.words(2 + draws.below(4)), draws.words(1 + draws.below(4))
        starter, line = draws.pick(vocabulary.STARTERS), draws.pick(vocabulary.BREAKS)
        plain.append(f"{left}. {starter} {right}" if place % 2 else f"{left} {right}")
        markdown.append(f"{left}.{line} {right}" if place % 4 == 1 else plain[-1])
    return Passages(tuple(plain), tuple(markdown), tuple(text.replace("\n", "\\n") for text in markdown))


@cache
def phrases() -> tuple[str, ...]:
    """4,096 names of two or three words."""
    draws = Draws(0, -2)
    return tuple(draws.words(2 + (place & 1)).title() for place in range(4_096))
