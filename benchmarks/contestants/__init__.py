"""Those who store the same workflows in the same tables: the store, and its peers.

A new peer is a class like these in a module of its own, added to ``everyone``; what it needs to be installed is
imported inside its ``open``.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.contestants.by_hand import ByHand
from benchmarks.contestants.contestant import Case, Contestant
from benchmarks.contestants.ours import Ours

__all__ = ["ByHand", "Case", "Contestant", "Ours", "everyone"]


def everyone() -> Sequence[Contestant]:
    """All contestants; the first is the one that the others are set beside."""
    return (Ours(), ByHand())
