"""Models of values that are known to be right, without a second validation."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, TypeVar

from pydantic import BaseModel

from workflow_store.models.workflow import Workflow

Model = TypeVar("Model", bound=BaseModel)

# The slots of a model, past the check that it is frozen, which object.__setattr__ would look up each time.
_set_members, _set_given, _set_extra, _set_private = (
    vars(BaseModel)[slot].__set__
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


def built(model: type[Model], values: dict[str, Any], given: Set[str] | None = None) -> Model:
    """What ``model_construct`` does, without its walk over the fields.

    Args:
        values: one for every field, in their order; the dict becomes the model's own.
        given: the names of those that were set; the others are defaults. None stands for all.
    """
    made = model.__new__(model)
    _set_members(made, values)
    _set_given(made, set(values if given is None else given))
    _set_extra(made, None)
    _set_private(made, {"_notices": ()} if model is Workflow else None)
    return made
