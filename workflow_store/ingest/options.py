"""What a caller may choose of a bulk ingest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from workflow_store.database.operation import seconds
from workflow_store.errors import InvalidField, shown
from workflow_store.queries.parameters import Limits

Mode: TypeAlias = Literal["upsert", "insert", "skip"]
OnError: TypeAlias = Literal["quarantine", "raise"]


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """See ``WorkflowStore.ingest``."""

    limits: Limits
    batch_size: int
    connections: int
    mode: Mode = "upsert"
    on_error: OnError = "quarantine"
    timeout: float | None = None
    patience: float = 0.0
    replace: bool = False
    touch: bool = True

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("mode", self.mode, get_args(Mode)),
            ("on_error", self.on_error, get_args(OnError)),
        ):
            if value not in allowed:
                raise InvalidField(name, f"{shown(value)} is none", allowed)
        if self.timeout is not None:
            seconds("timeout", self.timeout)
