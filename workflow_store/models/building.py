"""Models of values that are known to be right, without a second validation."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, TypeVar

from pydantic import BaseModel

from workflow_store.models.workflow import Workflow

Model = TypeVar("Model", bound=BaseModel)


def built(model: type[Model], values: dict[str, Any], given: Set[str] | None = None) -> Model:
    """What ``model_construct`` does, without its walk over the fields.

    Args:
        values: one for every field, in their order; the dict becomes the model's own.
        given: the names of those that were set; the others are defaults. None stands for all.
    """
    made = model.__new__(model)
    object.__setattr__(made, "__dict__", values)
    object.__setattr__(made, "__pydantic_fields_set__", set(values if given is None else given))
    object.__setattr__(made, "__pydantic_extra__", None)
    object.__setattr__(made, "__pydantic_private__", {"_notices": ()} if model is Workflow else None)
    return made
