"""Generated workflows that are shaped like the real ones: for demonstrations, tests and measurements.

Sizes, numbers of nodes, node types, depth and compressibility follow 14,668 public workflows; ``python -m
benchmarks.calibrate`` shows both side by side. The words are English by their frequency, not by their grammar.
"""

from __future__ import annotations

from collections.abc import Iterator

from workflow_store.errors import InvalidField
from workflow_store.models import Workflow
from workflow_store.samples.record import build_record

__all__ = ["generate"]


def generate(count: int, *, seed: int = 0, start: int = 0) -> Iterator[Workflow]:
    """The records ``start`` to ``start + count - 1`` of the sequence that ``seed`` stands for.

    A record depends on the seed and its place alone, and is the same on every supported Python, so ranges can be made
    in any order and in several processes. Its id depends on the place alone: other seeds give the same ids with other
    contents, as a later scrape would.

    Raises:
        InvalidField: ``count`` or ``start`` is negative.
    """
    for name, number in (("count", count), ("start", start)):
        if number < 0:
            raise InvalidField(name, f"a number from 0 is expected, not {number}")
    return (build_record(seed, index) for index in range(start, start + count))
