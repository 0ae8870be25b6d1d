"""``workflow-store update`` and ``delete``: what changes stored workflows by their ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from rich.text import Text

from workflow_store.cli.assignments import Changes
from workflow_store.cli.outcomes import Exit, NotFound, UsageError
from workflow_store.cli.output import COMMON, Common, Flag, Output
from workflow_store.cli.server import command_settings
from workflow_store.cli.standard_input import confirm, contents, need_a_person_or
from workflow_store.cli.wording import identifier, line, plural
from workflow_store.store import WorkflowStore

_NAMED: Final = 5


async def update(
    workflow_id: Annotated[str, Parameter(name="ID")],
    /,
    *,
    set_: Annotated[list[str] | None, Parameter(name="--set", negative=())] = None,
    clear: Annotated[list[str] | None, Parameter(negative=())] = None,
    from_: Annotated[Path | None, Parameter(name="--from", allow_leading_hyphen=True)] = None,
    common: Common = COMMON,
) -> None:
    """Set named fields of a stored workflow; the others stay.

    A field of a part is named with the part: `update 2462 --set quality_score=91.0 --set metadata.views=5 --set
    metadata.tags=ai,telegram`. Texts are taken as they stand, times are ISO 8601, a list is names with commas between
    them or a JSON array, and `structure.workflow_json` and other documents are JSON. A part that is not stored is
    created. A name that is not to be set is refused with those that are, exit code 2; a value that does not fit, or an
    id that is not stored, is exit code 1. Nothing is changed then.

    With `--json` the workflow is printed as it is stored then.

    Args:
        workflow_id: The workflow's id, as `list` shows it. An id that begins with a hyphen goes behind `--`.
        set_: NAME=VALUE, a field and its new value; may be given several times.
        clear: NAME of a field to empty; may be given several times.
        from_: A file with a JSON object of fields and parts, such as {"quality_score": 91.0, "metadata": {"views": 5},
            "transcripts": []}; - is standard input. What --set and --clear say counts more.
    """
    output = common.output
    if not (set_ or clear or from_):
        raise UsageError("say what to change, with --set, --clear or --from")
    changes = Changes(b"{}" if from_ is None else await contents(from_))
    for assignment in set_ or ():
        changes.set(assignment)
    for name in clear or ():
        changes.clear(name)
    async with WorkflowStore.open(command_settings()) as store:
        workflow = await store.update_workflow(workflow_id, **changes.arguments())
    if workflow is None:
        raise NotFound(f"there is no workflow {workflow_id!r}")
    if output.json:
        output.raw(workflow.to_json().raw)
    else:
        names = ", ".join(identifier(name) for name in changes.names) or "nothing"
        output.show(Text(f"updated {identifier(workflow_id)}: {names}"), whole=True)


async def delete(
    workflow_ids: Annotated[list[str], Parameter(name="ID...")],
    /,
    *,
    yes: Flag = False,
    common: Common = COMMON,
) -> int:
    """Delete workflows with their parts and media links, all or none of them.

    Asks first. Without a terminal to ask on, --yes is needed. Where one of them was not there, the exit code is 1; the
    others are deleted. With `--json` the ids are in `deleted` and `missing`.

    Args:
        workflow_ids: The workflows' ids, as `list` shows them. Ids that begin with a hyphen go behind `--`.
        yes: Do not ask.
    """
    output = common.output
    need_a_person_or(yes, "what is deleted is gone")
    ids = list(dict.fromkeys(workflow_ids))
    async with WorkflowStore.open(command_settings()) as store:
        there = await store.exists(ids)
        if there and not yes:
            named = _some([workflow_id for workflow_id in ids if workflow_id in there])
            await confirm(f"Delete {plural(len(there), 'workflow')} ({named}) on {line(store.address)}?")
        async with store.transaction() as tx:
            # In the order of the ids, as every writer takes its locks.
            deleted = {workflow_id for workflow_id in sorted(there) if await tx.delete_workflow(workflow_id)}
    _tell(output, ids, deleted)
    return Exit.DONE if len(deleted) == len(ids) else Exit.INCOMPLETE


def _tell(output: Output, ids: Sequence[str], deleted: set[str]) -> None:
    missing = [workflow_id for workflow_id in ids if workflow_id not in deleted]
    if output.json:
        gone = [workflow_id for workflow_id in ids if workflow_id in deleted]
        output.document({"deleted": gone, "missing": missing})
        return
    output.show(
        *(Text(f"deleted {identifier(workflow_id)}") for workflow_id in ids if workflow_id in deleted), whole=True
    )
    for workflow_id in missing:
        output.note(f"workflow-store: there is no workflow {identifier(workflow_id)}")


def _some(ids: Sequence[str]) -> str:
    named = ", ".join(identifier(workflow_id) for workflow_id in ids[:_NAMED])
    return f"{named} and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else named
