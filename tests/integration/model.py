"""Workflows that are drawn to be nasty, and a dict that folds puts as a store does."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

from hypothesis import strategies as st

from tests.integration.queue_model import Queue
from workflow_store import Content, Json, Metadata, Rejected, Structure, Transcript, Workflow
from workflow_store.models.report import Outcome
from workflow_store.models.workflow import PARTS

SEED: Final = int(os.environ.get("WORKFLOW_STORE_TEST_SEED") or (7 if os.environ.get("CI") else random.getrandbits(32)))
FLAGS: Final = {"layer1_success": "metadata", "layer2_success": "structure", "layer3_success": "content"}

# --- what is drawn: few values, so that records often agree, and nasty ones ---

IDS: Final = ("1", "ж/🤖 %", "x" * 1_024)
TEXTS: Final = (
    "", " ", "zebra", "Zebra 50% off", "a_b\\c walrus", "агент 🤖", "e\u0301", "badger\u2028\r\n", "lynx " + "y" * 200,
    "'; DROP TABLE workflows; --", '"otter" | & ! <-> :*', "\ufeff\u202etfel", "\\u0000",
)  # fmt: skip
DOCUMENTS: Final = tuple(
    map(
        Json.parse,
        (
            "1.0", "1.00", "1e2", "100", "-0", "0", "1e400", "null", "true", "{}", "[]", '"\\u00e9"', '"é"',
            "12345678901234567890123456789.000000000000000000001", '{"a":1,"b":[1.10]}', '{ "b" : [1.10],"a" : 1 }',
            '{"a":1,"a":2}', '{"a":2}', '{"":null,"\\\\u0000":"\\ud83e\\udd16"}', '{"nodes":[{"name":"otter"}]}',
        ),
    )
)  # fmt: skip
COUNTS: Final = (0, 1, -1, 3_000_000_000, 2**63 - 1, 1 - 2**63)
NUMBERS: Final = (0.0, -0.0, 0.1, 85.3, -1e15, 5e-324)
MOMENTS: Final = (
    datetime(2026, 5, 4, 3, 2, 1, 987654, tzinfo=UTC),
    datetime(1, 1, 2, tzinfo=UTC),
    datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=UTC),
)


def any_of(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


Choices: TypeAlias = dict[str, tuple[Any, ...]]
TEXT: Final = (None, *TEXTS)
DOCUMENT: Final = (None, *DOCUMENTS)
COUNT: Final = (None, *COUNTS)
MOMENT: Final = (None, *MOMENTS)
NAMES: Final = (None, (), ("zebra",), ("", "zebra"), ("a_b\\c walrus", "\\u0000"), ('"otter" | & ! <-> :*',))
FLAG: Final = (False, True)
FIELDS: Final[dict[str, Choices]] = {
    "metadata": {
        **dict.fromkeys(("title", "description", "use_case", "author_name", "author_url"), TEXT),
        **dict.fromkeys(("views", "shares"), COUNT),
        **dict.fromkeys(("categories", "tags"), NAMES),
        **dict.fromkeys(("workflow_created_at", "workflow_updated_at", "extracted_at"), MOMENT),
        "raw_metadata": DOCUMENT,
    },
    "structure": {
        **dict.fromkeys(("node_count", "connection_count"), COUNT),
        "node_types": NAMES,
        "extraction_type": TEXT,
        "fallback_used": FLAG,
        "workflow_json": DOCUMENT,
        "extracted_at": MOMENT,
    },
    "content": {
        **dict.fromkeys(("explainer_text", "explainer_html", "setup_instructions", "use_instructions"), TEXT),
        **dict.fromkeys(("has_videos", "has_iframes"), FLAG),
        **dict.fromkeys(("video_count", "iframe_count"), COUNTS),
        "raw_content": DOCUMENT,
        "extracted_at": MOMENT,
    },
}
TRANSCRIPT: Final[Choices] = {
    "video_url": TEXTS,
    **dict.fromkeys(("video_id", "platform", "transcript_text", "language"), TEXT),
    "transcript_json": DOCUMENT,
    "duration": (None, *NUMBERS),
    "extracted_at": MOMENT,
}
ROW: Final[Choices] = {
    "url": ("u", "https://n8n.io/ж"),
    "extracted_at": MOMENT,
    "processing_time": (None, *NUMBERS),
    "quality_score": (None, *NUMBERS),
    "error_message": (None, "", "timed out 3"),
    "retry_count": (None, 0, 3, 2**63 - 1),
}
MODELS: Final[dict[str, Callable[..., Any]]] = {"metadata": Metadata, "structure": Structure, "content": Content}
# None in these is refused by an update.
NEVER_NONE: Final = ("extracted_at", "retry_count")

# Hypothesis chooses among whole records that are made here: drawn field by field, they would be so large that it could
# hardly try anything. Every second record differs from the one before it in a single field.
_MAKER: Final = random.Random(SEED)


def made(choices: Choices, number: int, *, often: float = 0.6) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = [{}]
    while len(records) < number:
        if len(records) % 2:
            records.append({name: _MAKER.choice(values) for name, values in choices.items() if _MAKER.random() < often})
        else:
            name = _MAKER.choice(list(choices))
            records.append(records[-1] | {name: _MAKER.choice(choices[name])})
    return records


def changed(choices: Choices, number: int) -> list[dict[str, Any]]:
    """What an update may set: few fields at a time."""
    given = {
        name: tuple(value for value in values if value is not None or name not in NEVER_NONE)
        for name, values in choices.items()
    }
    return made(given, number, often=0.2)


_SPOKEN: Final = [Transcript(**({"video_url": "v"} | values)) for values in made(TRANSCRIPT, 12)]
_LISTS: Final = [(), *[tuple(_MAKER.sample(_SPOKEN, number)) for number in (1, 1, 1, 2, 2, 2, 3, 3)]]
_LISTS.extend([(*_LISTS[4], _SPOKEN[1]), _LISTS[4][:1]])
TRANSCRIPTS = any_of(*_LISTS)
PARTS_GIVEN: Final = {
    part: st.none() | any_of(*[MODELS[part](**values) for values in made(choices, 10)])
    for part, choices in FIELDS.items()
} | {"transcripts": st.none() | TRANSCRIPTS}
CHANGED_ROW = any_of(*changed(ROW, 16))
CHANGED_PARTS: Final = {part: any_of(*changed(choices, 16)) for part, choices in FIELDS.items()} | {
    "transcripts": TRANSCRIPTS
}
ID = any_of(*IDS)


def workflow_of(workflow_id: str, row: dict[str, Any], **parts: Any) -> Workflow:
    return Workflow(**({"url": "u"} | row), workflow_id=workflow_id, **parts)


WORKFLOW = st.builds(
    workflow_of,
    ID,
    st.just({}) | any_of(*made(ROW, 10)),
    **PARTS_GIVEN,
)
BAD: Final[tuple[Workflow | Rejected, ...]] = (
    Workflow(workflow_id="1", url="nul \x00"),
    Workflow(workflow_id="1", url="u", metadata=Metadata(title="half \ud800")),
    Workflow(workflow_id="1", url="u", structure=Structure(workflow_json=Json.trusted(b'["\\u0000"]'))),
    Workflow(workflow_id="\x00", url="u"),
    Rejected(source="page 3", reason="empty", raw=b"<html>"),
)
# --- what is expected ---

# Stands for the time of a call that gave none.
NOW: Final = datetime(3, 3, 3, tzinfo=UTC)


def content_of(value: Any) -> Any:
    """What is compared of a part: its values without the stamp, documents as PostgreSQL normalises them."""
    if isinstance(value, tuple):
        return [content_of(item) for item in value]
    if isinstance(value, Json):
        return spelling(json.loads(value.raw, parse_int=Decimal, parse_float=Decimal))
    if isinstance(value, Metadata | Structure | Content | Transcript):
        return {name: content_of(getattr(value, name)) for name in type(value).model_fields if name != "extracted_at"}
    return value


def spelling(value: Any) -> Any:
    if isinstance(value, Decimal):
        return "number", format(abs(value) if value == 0 else value, "f")
    if isinstance(value, dict):
        return {key: spelling(member) for key, member in value.items()}
    return [spelling(item) for item in value] if isinstance(value, list) else (type(value).__name__, value)


def raw_of(part: Any) -> str:
    """The same down to the spelling, which is all that can be compared before anything is sent."""
    parts = part if isinstance(part, tuple) else (part,)
    return repr([[(n, v.raw if isinstance(v, Json) else v) for n, v in one if n != "extracted_at"] for one in parts])


def stamped(workflow: Workflow) -> Workflow:
    """The workflow with a stamp of its own in each part."""
    seen = workflow.extracted_at or NOW

    def stamp(part: Any) -> Any:
        if isinstance(part, tuple):
            return tuple(map(stamp, part))
        return part and part.model_copy(update={"extracted_at": part.extracted_at or seen})

    return workflow.model_copy(
        update={"extracted_at": seen, **{part: stamp(getattr(workflow, part)) for part in PARTS}}
    )


def merged(stored: Workflow, scraped: Workflow, content: Callable[[Any], Any], *, replace: bool) -> Workflow | None:
    """What is stored after another scrape; None where it brings nothing new but, perhaps, a count of retries."""
    kept: dict[str, Any] = {part: getattr(scraped, part) for part in PARTS}
    for part, given_part in kept.items():
        old = getattr(stored, part)
        if (given_part is None and not replace) or (
            given_part is not None and old is not None and content(old) == content(given_part)
        ):
            kept[part] = old
    measured = {
        name: getattr(stored if getattr(scraped, name) is None and not replace else scraped, name)
        for name in ("quality_score", "processing_time")
    }
    told = (stored.url, stored.error_message, stored.quality_score)
    if all(kept[part] is getattr(stored, part) for part in PARTS) and told == (
        scraped.url,
        scraped.error_message,
        measured["quality_score"],
    ):
        return None
    retries = stored.retry_count if scraped.retry_count is None else scraped.retry_count
    flags = {flag: kept[part] is not None for flag, part in FLAGS.items()}
    return scraped.model_copy(update={**kept, **measured, **flags, "retry_count": retries})


def rows_kept(old: tuple[Transcript, ...] | None, new: tuple[Transcript, ...] | None) -> tuple[Transcript, ...] | None:
    """A list of transcripts is compared row by row: one that is the same keeps its stamp."""
    if new is None:
        return None
    same = [content_of(one) == content_of(other) for one, other in zip(old or (), new, strict=False)]
    return tuple((old or ())[place] if place < len(same) and same[place] else item for place, item in enumerate(new))


class Model(dict[str, Workflow]):
    """A store in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = Queue()

    def put(self, workflow: Workflow, *, replace: bool = False, touch: bool = True) -> Outcome:
        outcome = self._put(workflow, replace=replace)
        if touch or outcome != "unchanged":
            self.queue.see(workflow.workflow_id, workflow.url)
        return outcome

    def delete(self, workflow_id: str) -> bool:
        if self.pop(workflow_id, None) is None:
            # What is not stored stays in the queue.
            return False
        del self.queue[workflow_id]
        return True

    def _put(self, workflow: Workflow, *, replace: bool) -> Outcome:
        stored, scraped = self.get(workflow.workflow_id), stamped(workflow)
        if stored is None:
            queued = self.queue.get(workflow.workflow_id)
            counted = queued.retries if scraped.retry_count is None and queued else scraped.retry_count or 0
            self[workflow.workflow_id] = scraped.model_copy(update={"retry_count": counted})
            return "inserted"
        scraped = scraped.model_copy(update={"transcripts": rows_kept(stored.transcripts, scraped.transcripts)})
        after = merged(stored, scraped, content_of, replace=replace)
        if after is None and scraped.retry_count is not None:
            self[workflow.workflow_id] = stored.model_copy(update={"retry_count": scraped.retry_count})
        elif after is not None:
            self[workflow.workflow_id] = after
        return "unchanged" if after is None else "updated"

    def change(self, workflow_id: str, values: dict[str, Any], parts: dict[str, Any]) -> None:
        stored = self[workflow_id]
        changed: dict[str, Any] = dict(values)
        for part, members in parts.items():
            old = getattr(stored, part)
            if part == "transcripts":
                moment = values.get("extracted_at")
                changed[part] = rows_kept(
                    old, stamped(stored.model_copy(update={"extracted_at": moment, part: members})).transcripts
                )
            elif members and old is None:
                made = MODELS[part](**members)
                changed[part] = made.model_copy(
                    update={"extracted_at": made.extracted_at or values.get("extracted_at") or NOW}
                )
            elif members:
                changed[part] = old.model_copy(update=members)
        after = stored.model_copy(update=changed)
        self[workflow_id] = after.model_copy(
            update={flag: getattr(after, part) is not None for flag, part in FLAGS.items()}
        )


def folded(batch: Iterable[Workflow], *, replace: bool) -> list[Workflow]:
    """A batch as it is stored: of each id one record."""
    records: dict[str, Workflow] = {}
    for item in batch:
        newer, older = stamped(item), records.get(item.workflow_id)
        if older is not None:
            retries = older.retry_count if newer.retry_count is None else newer.retry_count
            after = newer if replace else merged(older, newer, raw_of, replace=False)
            newer = (older if after is None else after).model_copy(update={"retry_count": retries})
        records[item.workflow_id] = newer
    return list(records.values())


def assert_same(found: Workflow, expected: Workflow) -> None:
    """Equal in everything; a stamp that was the time of the call can be any."""

    def compare(place: str, one: Any, other: Any) -> None:
        if isinstance(other, tuple) and isinstance(one, tuple) and other and isinstance(other[0], Transcript):
            assert len(one) == len(other), place
            for number, (left, right) in enumerate(zip(one, other, strict=True)):
                compare(f"{place}.{number}", left, right)
        elif isinstance(other, Workflow | Metadata | Structure | Content | Transcript):
            assert type(one) is type(other), place
            for name in type(other).model_fields:
                compare(f"{place}.{name}", getattr(one, name), getattr(other, name))
        elif place.endswith(".updated_at") or (place.endswith(".extracted_at") and other == NOW):
            assert one is not None, place
        else:
            assert content_of(one) == content_of(other), f"{place}: {one!r}, not {other!r}"

    compare(expected.workflow_id[:8], found, expected)
