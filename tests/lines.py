"""A line read by a quick reader where it takes it, or by the general reader alone; and one as ``export`` writes it."""

from __future__ import annotations

from typing import Any, Final

import pytest

from workflow_store.importers.limits import Limits
from workflow_store.importers.place import Place
from workflow_store.importers.records import RecordReader
from workflow_store.models import Workflow

_PLACE: Final = Place("lines.jsonl:1", "lines.jsonl:1")


def read(raw: bytes, limits: Limits, *, quickly: bool) -> list[Any]:
    """What a line gives; not quickly is by the general reader."""
    with pytest.MonkeyPatch.context() as patch:
        if not quickly:
            for reader in ("read_wrapped", "read_exported"):
                patch.setattr(f"workflow_store.importers.records.{reader}", lambda raw, limits: None)
        return list(RecordReader("auto", limits).read(raw, _PLACE))


def exported_line(workflow: Workflow, document: bytes) -> bytes:
    """A line as ``export`` writes it, with any bytes in place of the workflow's document, which is 0."""
    return workflow.to_json().raw.replace(b'"workflow_json":0', b'"workflow_json":' + document)
