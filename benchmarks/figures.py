"""Figures out of many timings."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class Spread:
    """Repeated measurements of one thing, in their own unit."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)

    @property
    def relative(self) -> float:
        """From the lowest to the highest, as a share of the median."""
        return (self.high - self.low) / self.median if self.median else 0.0


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that ``percent`` (above 0, up to 100) of the values do not exceed.

    Raises:
        ValueError: there are no values, or ``percent`` is out of range.
    """
    if not values or not 0 < percent <= 100:
        raise ValueError("a percentile needs values, and a share above 0 and up to 100")
    return sorted(values)[ceil(len(values) * percent / 100) - 1]
