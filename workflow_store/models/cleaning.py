"""What PostgreSQL can't hold in a text, NUL and half characters, removed or replaced where the settings say so."""

from __future__ import annotations

import re
from typing import Any, Final, Literal, TypeAlias

from workflow_store.models.fields import is_list
from workflow_store.models.json import Json
from workflow_store.models.workflow import Content, Metadata, Structure, Transcript, Workflow

NulPolicy: TypeAlias = Literal["reject", "strip", "replace"]

_PUT_INSTEAD: Final = {"strip": "", "replace": "\ufffd"}
# Two halves that belong together are one character after all.
_IN_TEXT = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\x00\ud800-\udfff]")
# One match consumes one escape, so that the second half of an escaped backslash never begins another.
_IN_JSON = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2}|u0000)|.)",
    re.DOTALL,
)
# An id is what a workflow is known by: to change it would make another workflow of it.
_LEFT_ALONE: Final = frozenset(("workflow_id",))


def cleaned(workflow: Workflow, policy: NulPolicy) -> tuple[Workflow, tuple[str, ...]]:
    """A workflow without what its texts and documents can't be stored with, and a remark on each field of them."""
    notices: list[str] = []
    return _cleaned(workflow, policy, "", notices), tuple(notices)


def _cleaned(value: Any, policy: NulPolicy, name: str, notices: list[str]) -> Any:
    if isinstance(value, Workflow | Metadata | Structure | Content | Transcript):
        update: dict[str, Any] = {}
        for field in type(value).model_fields:
            member = getattr(value, field)
            if member is not None and field not in _LEFT_ALONE:
                new = _cleaned(member, policy, f"{name}.{field}" if name else field, notices)
                if new is not member:
                    update[field] = new
        return value.model_copy(update=update) if update else value
    if is_list(value):
        items = tuple(_cleaned(item, policy, f"{name}.{place}", notices) for place, item in enumerate(value))
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if isinstance(value, str):
        text, times = clean_text(value, policy)
        return _noted(text, times, policy, name, notices) if times else value
    if isinstance(value, Json):
        raw, times = clean_json(value.raw, policy)
        return _noted(Json.trusted(raw), times, policy, name, notices) if times else value
    return value


def _noted(new: Any, times: int, policy: NulPolicy, name: str, notices: list[str]) -> Any:
    what = f"{times:,} NUL or half characters" if times > 1 else "a NUL or half character"
    notices.append(f"{name}: {what} {'removed' if policy == 'strip' else 'replaced by U+FFFD'}")
    return new


def clean_text(text: str, policy: NulPolicy) -> tuple[str, int]:
    """A text without NUL and half characters, and how many there were."""
    instead = _PUT_INSTEAD[policy]
    return _IN_TEXT.subn(lambda found: _joined(found[0]) if len(found[0]) == 2 else instead, text)


def clean_json(raw: bytes, policy: NulPolicy) -> tuple[bytes, int]:
    """JSON text without the escapes of NUL and of half characters, and how many there were."""
    instead = b"\\ufffd" if policy == "replace" else b""
    times = 0

    def mend(found: re.Match[bytes]) -> bytes:
        nonlocal times
        if found[1] is None:
            return found[0]
        times += 1
        return instead

    return _IN_JSON.sub(mend, raw), times


def _joined(halves: str) -> str:
    return halves.encode("utf-16", "surrogatepass").decode("utf-16")
