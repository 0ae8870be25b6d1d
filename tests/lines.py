"""A line read in both ways: by a quick reader where it takes it, and by the general reader alone."""

from __future__ import annotations

from typing import Any, Final

import pytest

from workflow_store.importers.limits import Limits
from workflow_store.importers.place import Place
from workflow_store.importers.records import RecordReader

_PLACE: Final = Place("lines.jsonl:1", "lines.jsonl:1")


def read(raw: bytes, limits: Limits, *, quickly: bool) -> list[Any]:
    """What a line gives; not quickly is by the general reader."""
    with pytest.MonkeyPatch.context() as patch:
        if not quickly:
            for reader in ("read_wrapped", "read_exported"):
                patch.setattr(f"workflow_store.importers.records.{reader}", lambda raw, limits: None)
        return list(RecordReader("auto", limits).read(raw, _PLACE))
