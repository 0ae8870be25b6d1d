"""``NAME=VALUE`` as a person types it, read into the types of the fields."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

from workflow_store.cli.outcomes import UsageError
from workflow_store.errors import InvalidField, InvalidJson, InvalidRecord
from workflow_store.models import Content, Json, Metadata, Structure, Workflow
from workflow_store.models.fields import is_object, read_moment
from workflow_store.models.interchange import members_from_json
from workflow_store.repository.updates import UPDATABLE_FIELDS, UPDATABLE_PARTS

_MODELS: Final[Mapping[str, type[BaseModel]]] = {"metadata": Metadata, "structure": Structure, "content": Content}
_OWN: Final = UPDATABLE_FIELDS | {"transcripts"}
# Names that Python would take for arguments of the method, and not for fields.
_OF_THE_CALL: Final = frozenset(("self", "workflow_id"))


class Changes:
    """What is to be set, gathered from a JSON object and from what was typed.

    Attributes:
        names: dotted names of what is set, in order.
    """

    def __init__(self, document: bytes) -> None:
        """Begin with the members of a JSON object.

        Raises:
            InvalidJson: it is none.
        """
        self._members = members_from_json(document)

    def set(self, assignment: str) -> None:
        """Take over ``NAME=VALUE``.

        Raises:
            UsageError: it has not that form.
            InvalidRecord: the value can't be read as what the field holds.
        """
        name, equals, value = assignment.partition("=")
        if not equals or not name:
            raise UsageError(f"--set takes NAME=VALUE, such as metadata.views=5, not {assignment!r}")
        self._put(name, _read(name, value))

    def clear(self, name: str) -> None:
        """Empty a field."""
        self._put(name, None)

    def arguments(self) -> Mapping[str, Any]:
        """Arguments of ``update_workflow``.

        Raises:
            InvalidField: a name that can't even be passed, or lacks its part; the library refuses the others.
        """
        for name in self._members:
            if name in _OF_THE_CALL:
                raise InvalidField(name, "is no field that can be updated", UPDATABLE_FIELDS)
            homes = [f"{part}.{name}" for part, fields in UPDATABLE_PARTS.items() if name in fields]
            if homes and name not in _OWN:
                raise InvalidField(name, "is a field of a part, and named with it", homes)
        return self._members

    @property
    def names(self) -> list[str]:
        names: list[str] = []
        for name, value in self._members.items():
            names += [f"{name}.{member}" for member in value] if name in _MODELS and is_object(value) else [name]
        return names

    def _put(self, name: str, value: Any) -> None:
        part, dot, member = name.partition(".")
        if not dot:
            self._members[name] = value
        elif part in _MODELS:
            stated = self._members.get(part)
            self._members[part] = {**(stated if is_object(stated) else {}), member: value}
        else:
            raise InvalidField(name, f"{part!r} is no part with fields of its own", _MODELS)


def _read(name: str, value: str) -> Any:
    types = _types_of(name)
    if str in types:
        return value
    if Json in types:
        return _document(name, value)
    if datetime in types:
        moment = read_moment(value)
        if moment is None:
            raise InvalidRecord(name, f"a time such as 2026-05-04T03:02:00Z is expected, not {value!r}")
        return moment
    if tuple in types and not value.lstrip().startswith("["):
        return [item.strip() for item in value.split(",")] if value.strip() else []
    if tuple in types or name in _MODELS:
        return _document(name, value).value
    # Numbers and flags as the models read them; an unknown name is refused whatever it is set to.
    return value


def _document(name: str, value: str) -> Json:
    try:
        return Json.parse(value)
    except InvalidJson as error:
        raise InvalidRecord(name, error.reason) from None


def _types_of(name: str) -> set[Any]:
    part, dot, member = name.partition(".")
    if dot:
        field = _MODELS[part].model_fields.get(member) if part in _MODELS else None
    else:
        field = Workflow.model_fields[name] if name in _OWN else None
    return set() if field is None else set(_bare(field.annotation))


def _bare(annotation: Any) -> list[Any]:
    """The types of a union, without what is annotated to them."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return [bare for member in get_args(annotation) for bare in _bare(member)]
    if origin is Annotated:
        return _bare(get_args(annotation)[0])
    return [origin or annotation]
