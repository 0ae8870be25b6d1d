"""Where a record lies, and the key that is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args

from workflow_store.models.fields import is_object

IdFrom: TypeAlias = Literal["auto", "template", "source", "path", "workflow"]
ID_FROM: Final[tuple[str, ...]] = get_args(IdFrom)

TEMPLATE_URL: Final = "https://n8n.io/workflows/"
CREATOR_URL: Final = "https://n8n.io/creators/"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record was read.

    Attributes:
        source: for people: the path as it was given, with line and element.
        relative: the path relative to the folder given, with line and element; what an id may be made of.
    """

    source: str
    relative: str

    def line(self, number: int) -> Place:
        """A line, counted from 1."""
        return Place(f"{self.source}:{number}", f"{self.relative}:{number}")

    def element(self, index: int) -> Place:
        """An element of a list, counted from 0."""
        return Place(f"{self.source}[{index}]", f"{self.relative}[{index}]")


def workflow_key(id_from: IdFrom, body: Mapping[str, Any], source: str | None, place: Place) -> tuple[str, str]:
    """Id and URL of an n8n workflow that came without an id of its own.

    By default a template id inside the body does not become the id: copies of one template are workflows of their own.
    """
    template = template_id_of(body)
    workflow_id = source or place.relative
    own = id_text(body.get("id"))
    if id_from == "template" and template:
        workflow_id = template
    elif id_from == "path":
        workflow_id = place.relative
    elif id_from == "workflow" and own:
        workflow_id = own
    return workflow_id, f"{TEMPLATE_URL}{template}" if template else source or place.relative


def template_id_of(body: Mapping[str, Any]) -> str | None:
    """The template a workflow says it was made from; None where that is not a number, as n8n's are."""
    meta = body.get("meta")
    template = id_text(meta.get("templateId")) if is_object(meta) else None
    return template if template and template.isascii() and template.isdigit() else None


def id_text(value: object) -> str | None:
    """An id that is a text or an integer, as text; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() or None if isinstance(value, str) else None
