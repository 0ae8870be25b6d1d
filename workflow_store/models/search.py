"""What a search answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from workflow_store.models.workflow import Workflow

# Private-use characters that the statement puts around a match, and takes out of the texts themselves.
MATCH_STARTS: Final = "\ue000"
MATCH_ENDS: Final = "\ue001"


@dataclass(frozen=True, slots=True)
class Highlight:
    """A text, or fragments of it, with the words that were found.

    Attributes:
        segments: the text in pieces, in order; each says whether it is a match. Nothing is escaped: scraped text is
            hostile, and only the caller knows where it will stand.
    """

    segments: tuple[tuple[str, bool], ...]

    @property
    def text(self) -> str:
        """The pieces joined."""
        return "".join(piece for piece, _ in self.segments)

    @property
    def matches(self) -> tuple[str, ...]:
        """The pieces that are matches."""
        return tuple(piece for piece, is_match in self.segments if is_match)

    def marked(self, before: str = "**", after: str = "**") -> str:
        """The pieces joined, with marks around the matches."""
        return "".join(f"{before}{piece}{after}" if is_match else piece for piece, is_match in self.segments)

    @classmethod
    def read(cls, marked: str) -> Highlight:
        """A highlight from the server's text, with a private-use character on either side of a match."""
        segments: list[tuple[str, bool]] = []
        for number, piece in enumerate(marked.split(MATCH_STARTS)):
            match, ends, rest = piece.partition(MATCH_ENDS)
            if number and ends:
                segments.append((match, True))
                piece = rest
            if piece:
                segments.append((piece, False))
        return cls(tuple(segments))


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A workflow that was found.

    Attributes:
        workflow: with the parts that were asked for.
        rank: how well it matches, comparable within one search; 0 for ``mode="substring"``.
        highlights: by field (``title``, ``description``, ``explainer_text``), where something in it matches; only for
            ``mode="fulltext"``.
    """

    workflow: Workflow
    rank: float
    highlights: dict[str, Highlight] = field(default_factory=dict[str, Highlight])


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A page of hits, the best first.

    Attributes:
        items: at most ``limit`` of them.
        next: cursor of the page behind this one, or None at the end.
        total: how many were found; None for ``mode="substring"``, which stops at its limit, unless asked for.
        capped: whether there were more candidates than are ranked; ``total`` is that bound then.
    """

    items: tuple[SearchHit, ...]
    next: str | None = None
    total: int | None = None
    capped: bool = False

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class SearchLag:
    """How far the search of long texts is behind what is stored.

    Attributes:
        pending: workflows that wait.
        seconds: how long the first of them has waited.
    """

    pending: int
    seconds: float
