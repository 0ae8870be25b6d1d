"""Records of the quarantine read again, as they were read when they were put aside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, cast

from workflow_store.importers.limits import DEFAULT_LIMITS, Limits
from workflow_store.importers.place import ID_FROM, IdFrom, Place
from workflow_store.importers.records import RecordReader
from workflow_store.importers.templates import Joiner, TemplateAnswer
from workflow_store.models import Quarantined, Rejected, Workflow

# An id that is made of it can't be stored, and no other one begins like it.
_NOWHERE: Final = "\x00"


def read_again(record: Quarantined, limits: Limits = DEFAULT_LIMITS) -> Iterator[Workflow | Rejected]:
    """The workflows of a record in quarantine: a line, a file or an element that ``read_path`` could not read, or a
    workflow that an ingest could not store.

    A record of another origin has to bring its own id.
    """
    id_from = cast("IdFrom", record.id_from) if record.id_from in ID_FROM else "auto"
    place = Place(record.source, _NOWHERE if record.relative is None else record.relative)
    raw = record.raw or b""
    joiner = Joiner(limits)
    for item in RecordReader(id_from, limits).read(raw, place):
        if isinstance(item, TemplateAnswer):
            yield from joiner.add(item)
        elif isinstance(item, Workflow) and item.workflow_id.startswith(_NOWHERE):
            yield Rejected(record.source, "it does not bring an id, and where it lay is not known", raw)
        elif isinstance(item, Rejected) and record.relative is None:
            yield replace(item, relative=None, id_from=None)
        else:
            yield item
    yield from joiner.rest()
