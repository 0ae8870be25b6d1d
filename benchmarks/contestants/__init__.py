"""Those who store the same workflows: the store, and its peers.

A new peer is a class like these in a module of its own, added to ``everyone``; what has to be installed for it is
imported inside its ``open``.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.contestants.alchemy_core import AlchemyCore
from benchmarks.contestants.alchemy_orm import AlchemyOrm
from benchmarks.contestants.by_hand import ByHand
from benchmarks.contestants.contestant import Case, Contestant, LeftOut
from benchmarks.contestants.ours import NAME, Ours
from benchmarks.contestants.psql_copy import PsqlCopy
from benchmarks.contestants.psycopg_copy import PsycopgCopy

__all__ = ["NAME", "ByHand", "Case", "Contestant", "LeftOut", "Ours", "everyone"]


def everyone() -> Sequence[Contestant]:
    """All contestants; the first is the one that the others are set beside."""
    return (
        Ours(),
        PsqlCopy(),
        PsqlCopy(connections=1),
        ByHand(),
        ByHand(connections=1),
        PsycopgCopy(),
        AlchemyCore(),
        AlchemyOrm(),
    )
