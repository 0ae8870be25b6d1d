"""Records that carry the same stamp in every part, so that one put together from two is told at a glance."""

from __future__ import annotations

import random
import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final

from workflow_store import Content, Json, Metadata, Structure, Transcript, Workflow
from workflow_store.models.workflow import PARTS, Part

_BEGIN: Final = datetime(2026, 1, 1, tzinfo=UTC)
_NUMBER: Final = re.compile(r"stamp-(\d+)")
# Some records are longer than a packet, so that a connection is cut inside of them.
_LENGTHS: Final = (0, 0, 0, 100, 3_000, 40_000)
_SOME_PARTS: Final[tuple[frozenset[Part], ...]] = (
    PARTS,
    PARTS,
    frozenset(("metadata",)),
    frozenset(("metadata", "structure")),
    frozenset(("content", "transcripts")),
    frozenset(),
)


def some_parts(draws: random.Random) -> frozenset[Part]:
    """All parts, or a few of them."""
    return draws.choice(_SOME_PARTS)


def record(workflow_id: str, stamp: int, draws: random.Random, parts: Collection[Part] = PARTS) -> Workflow:
    """A workflow with a stamp in each part that it has."""
    text = f"stamp-{stamp}"
    long = text + " word" * draws.choice(_LENGTHS)
    return Workflow(
        workflow_id=workflow_id,
        url=f"https://n8n.io/{text}",
        extracted_at=_BEGIN + timedelta(seconds=stamp),
        quality_score=float(stamp),
        metadata=Metadata(title=text, views=stamp, tags=(text, "fault")) if "metadata" in parts else None,
        structure=Structure(
            node_count=stamp, node_types=(text,), workflow_json=Json({"name": text, "nodes": [long], "connections": {}})
        )
        if "structure" in parts
        else None,
        content=Content(explainer_text=long, raw_content=Json([text])) if "content" in parts else None,
        transcripts=tuple(
            Transcript(video_url=f"https://youtu.be/{number}", transcript_text=text)
            for number in range(draws.randrange(1, 4))
        )
        if "transcripts" in parts
        else None,
    )


def stamps_of(workflow: Workflow) -> set[int]:
    """The stamps of all parts: one, where the record is as it was given."""
    parts = [workflow.url]
    if workflow.metadata is not None:
        parts += [workflow.metadata.title or "", str(workflow.metadata.tags)]
    if workflow.structure is not None:
        # The second time is in the list of nodes.
        parts += [str(workflow.structure.node_types), _text(workflow.structure.workflow_json)]
    if workflow.content is not None:
        parts += [workflow.content.explainer_text or "", _text(workflow.content.raw_content)]
    parts += [transcript.transcript_text or "" for transcript in workflow.transcripts or ()]
    return {int(number) for part in parts for number in _NUMBER.findall(part) or ["-1"]}


def _text(document: Json | None) -> str:
    return "" if document is None else document.raw.decode()
