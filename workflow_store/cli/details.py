"""``workflow-store get``: one workflow with everything that is known of it."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from cyclopts import Parameter
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from workflow_store.cli.outcomes import NotFound
from workflow_store.cli.output import COMMON, Common, Output
from workflow_store.cli.server import command_settings
from workflow_store.cli.wording import count, decimal, identifier, line, moment, paragraph, plural, size
from workflow_store.models import PARTS, Content, Metadata, Part, Structure, Transcript, Workflow
from workflow_store.store import WorkflowStore

_BEGINNING = 400
_TRANSCRIPT = 160
_SHOWN_TYPES = 30


async def get(
    workflow_id: Annotated[str, Parameter(name="ID")],
    /,
    *,
    include: Annotated[list[Part] | None, Parameter(negative=())] = None,
    common: Common = COMMON,
) -> None:
    """Show one workflow.

    With `--json` it is printed with every digit, the workflow's own JSON in `structure.workflow_json`. Where there is
    none, the exit code is 1.

    Args:
        workflow_id: The workflow's id, as `list` shows it. An id that begins with a hyphen goes behind `--`.
        include: A part to show; may be given several times. Without it, all are shown.
    """
    output = common.output
    async with WorkflowStore.open(command_settings()) as store:
        workflow = await store.get_workflow(workflow_id, include=frozenset(include or PARTS))
    if workflow is None:
        raise NotFound(f"there is no workflow {workflow_id!r}")
    if output.json:
        output.raw(workflow.to_json().raw)
    else:
        show_workflow(output, workflow)


def show_workflow(output: Output, workflow: Workflow) -> None:
    """A workflow for people: the facts, and how its texts begin."""
    title = workflow.metadata.title if workflow.metadata else None
    output.show(Text((line(title, 300) if title else "") or "(no title)", style="bold"))
    # Of their own, so that they are never broken: they are there to be copied.
    key = Text.assemble(("id   ", "dim"), (identifier(workflow.workflow_id), "cyan"))
    output.show(key, Text.assemble(("url  ", "dim"), identifier(workflow.url)), whole=True)
    facts = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in _facts(workflow):
        if value:
            facts.add_row(name, Text(value))
    output.show("", facts)
    for name, text in _texts(workflow):
        if text and (beginning := paragraph(text, _BEGINNING)):
            output.show("", Text(name, style="bold"), Padding(Text(beginning), (0, 0, 0, 2)))
    if workflow.transcripts:
        output.show("", Text("transcripts", style="bold"))
        for transcript in workflow.transcripts:
            output.show(Text(f"  {identifier(transcript.video_url)}", style="cyan"), whole=True)
            output.show(Padding(Text(_transcript(transcript)), (0, 0, 0, 4)))


def _facts(workflow: Workflow) -> list[tuple[str, str]]:
    taken = f" in {decimal(workflow.processing_time)} s" if workflow.processing_time is not None else ""
    facts = [
        ("extracted", f"{moment(workflow.extracted_at)} UTC{taken}" if workflow.extracted_at else ""),
        ("changed", f"{moment(workflow.updated_at)} UTC" if workflow.updated_at else ""),
        ("quality", decimal(workflow.quality_score)),
        ("parts", _parts(workflow)),
        ("retries", count(workflow.retry_count or None)),
        ("last error", paragraph(workflow.error_message, _BEGINNING) if workflow.error_message else ""),
    ]
    if workflow.metadata:
        facts += _metadata_facts(workflow.metadata)
    if workflow.structure:
        facts += _structure_facts(workflow.structure)
    if workflow.content:
        facts += _content_facts(workflow.content)
    return facts


def _parts(workflow: Workflow) -> str:
    stored = [
        name
        for name, there in (
            ("metadata", workflow.layer1_success),
            ("structure", workflow.layer2_success),
            ("content", workflow.layer3_success),
        )
        if there
    ]
    if workflow.transcripts:
        stored.append(plural(len(workflow.transcripts), "transcript"))
    return ", ".join(stored) or "none"


def _metadata_facts(metadata: Metadata) -> list[tuple[str, str]]:
    author = " ".join(line(text, 200) for text in (metadata.author_name, metadata.author_url) if text)
    return [
        ("author", author),
        ("views", count(metadata.views)),
        ("shares", count(metadata.shares)),
        ("categories", _names(metadata.categories)),
        ("tags", _names(metadata.tags)),
        ("published", moment(metadata.workflow_created_at)),
        ("page updated", moment(metadata.workflow_updated_at)),
    ]


def _structure_facts(structure: Structure) -> list[tuple[str, str]]:
    counted = [
        f"{number:,}{noun}"
        for number, noun in ((structure.node_count, ""), (structure.connection_count, " connections"))
        if number is not None
    ]
    document = size(len(structure.workflow_json)) if structure.workflow_json is not None else "none"
    kind = f" ({line(structure.extraction_type, 40)})" if structure.extraction_type else ""
    fallback = ", by the fallback" if structure.fallback_used else ""
    return [
        ("nodes", ", ".join(counted)),
        ("node types", _names(_short(structure.node_types))),
        ("workflow JSON", f"{document}{kind}{fallback}"),
    ]


def _content_facts(content: Content) -> list[tuple[str, str]]:
    return [
        ("videos", count(content.video_count) if content.has_videos else ""),
        ("iframes", count(content.iframe_count) if content.has_iframes else ""),
    ]


def _texts(workflow: Workflow) -> list[tuple[str, str | None]]:
    texts: list[tuple[str, str | None]] = []
    if workflow.metadata:
        texts += [("description", workflow.metadata.description), ("use case", workflow.metadata.use_case)]
    if workflow.content:
        texts += [
            ("explainer", workflow.content.explainer_text),
            ("setup", workflow.content.setup_instructions),
            ("use", workflow.content.use_instructions),
        ]
    return texts


def _transcript(transcript: Transcript) -> str:
    facts = [line(text, 40) for text in (transcript.platform, transcript.language) if text]
    if transcript.duration is not None:
        facts.append(f"{transcript.duration:,.0f} s")
    text = line(transcript.transcript_text, _TRANSCRIPT) if transcript.transcript_text else "(no text)"
    return f"{', '.join(facts)}{': ' if facts else ''}{text}"


def _names(names: tuple[str, ...] | None) -> str:
    shown = [line(name, 80) for name in (names or ())[:_SHOWN_TYPES]]
    more = len(names or ()) - len(shown)
    return f"{', '.join(shown)}{f' and {more:,} more' if more else ''}"


def _short(types: tuple[str, ...] | None) -> tuple[str, ...]:
    """Node types without the package that nearly all are from, unless two would look alike."""
    short = [name.removeprefix("n8n-nodes-base.") for name in types or ()]
    repeated = {name for name, times in Counter(short).items() if times > 1}
    return tuple(full if name in repeated else name for full, name in zip(types or (), short, strict=True))
