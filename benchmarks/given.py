"""The workflows that a case is measured with, in each form that a contestant takes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from workflow_store import Json, Workflow
from workflow_store.queries.encoding import encode
from workflow_store.queries.parameters import Encoded, Limits

Model = TypeVar("Model", bound=BaseModel)


class Given:
    """Workflows; each other form is made once, when somebody asks for it, and kept for all rounds.

    Args:
        folder: for files.
        name: of the files.
    """

    def __init__(self, workflows: Sequence[Workflow], folder: Path, name: str) -> None:
        self.workflows = workflows
        self.folder = folder
        self.name = name

    def __len__(self) -> int:
        return len(self.workflows)

    def first(self, count: int) -> Given:
        """The first of them, at least one."""
        few = self.workflows[: max(1, count)]
        return self if len(few) == len(self) else Given(few, self.folder, f"{self.name}-{len(few)}")

    @cached_property
    def records(self) -> list[Encoded]:
        """Checked and encoded, as rows of the tables."""
        now = datetime.now(UTC)
        return [encode(workflow, Limits(), now) for workflow in self.workflows]

    @cached_property
    def checked(self) -> list[Workflow]:
        """Models whose documents were looked at before, as those of an importer were."""
        # Encoding looks at them, and they remember it.
        assert len(self.records) == len(self)
        return list(self.workflows)

    def unchecked(self) -> list[Workflow]:
        """Models whose documents nobody has looked at yet: new ones at each call."""
        return [_renewed_workflow(workflow) for workflow in self.workflows]

    @cached_property
    def lines(self) -> Path:
        """A file with one workflow a line."""
        path = self.folder / f"{self.name}.jsonl"
        with path.open("wb") as file:
            for workflow in self.workflows:
                file.write(workflow.to_json().raw)
                file.write(b"\n")
        return path


def _renewed_workflow(workflow: Workflow) -> Workflow:
    transcripts = workflow.transcripts
    return workflow.model_copy(
        update={
            "metadata": _renewed(workflow.metadata, "raw_metadata"),
            "structure": _renewed(workflow.structure, "workflow_json"),
            "content": _renewed(workflow.content, "raw_content"),
            "transcripts": transcripts and tuple(_renewed(one, "transcript_json") for one in transcripts),
        }
    )


def _renewed(part: Model | None, name: str) -> Model | None:
    document: Json | None = getattr(part, name, None)
    if part is None or document is None:
        return part
    return part.model_copy(update={name: Json.trusted(document.raw)})
