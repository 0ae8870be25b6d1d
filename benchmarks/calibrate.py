"""Generated workflows beside real ones: ``python -m benchmarks.calibrate [--corpus FILE] [--count N]``.

The corpus is JSON lines of ``{"workflow": {...}}``, gzipped or not. Both sides are written without spaces and with
characters outside ASCII as they are, and compressed with zlib at level 1.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import time
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from workflow_store.samples import generate

_DEFAULT_CORPUS: Final = Path(__file__).resolve().parents[2] / "shared" / "corpus"
_FILE: Final = "workflows.jsonl.gz"


class Shape(NamedTuple):
    """What is compared of a set of workflows; one number a workflow, but for the totals."""

    sizes: list[int]
    nodes: list[int]
    depths: list[int]
    kinds: list[int]
    edges: list[float]
    ratios: list[float]
    distinct: int
    total_ratio: float
    sticky_share: float


def shape_of(documents: Iterable[bytes]) -> Shape:
    """Measure JSON texts, each one workflow."""
    sizes: list[int] = []
    nodes: list[int] = []
    depths: list[int] = []
    kinds: list[int] = []
    edges: list[float] = []
    packed: list[int] = []
    every: set[str] = set()
    sticky = 0
    for raw in documents:
        workflow = json.loads(raw)
        types = {node.get("type", "") for node in workflow.get("nodes", [])}
        sizes.append(len(raw))
        nodes.append(len(workflow.get("nodes", [])))
        depths.append(depth(workflow))
        kinds.append(len(types))
        edges.append(count_edges(workflow) / max(1, nodes[-1]))
        packed.append(len(zlib.compress(raw, 1)))
        every |= types
        sticky += "n8n-nodes-base.stickyNote" in types
    return Shape(
        sizes=sizes,
        nodes=nodes,
        depths=depths,
        kinds=kinds,
        edges=edges,
        ratios=[small / large for small, large in zip(packed, sizes, strict=True)],
        distinct=len(every),
        total_ratio=sum(packed) / sum(sizes),
        sticky_share=sticky / len(sizes),
    )


def depth(value: Any) -> int:
    """The number of arrays and objects in one another; 0 for a plain value."""
    if isinstance(value, dict):
        members: Iterable[Any] = cast("dict[str, Any]", value).values()
    elif isinstance(value, list):
        members = cast("Iterable[Any]", value)
    else:
        return 0
    return 1 + max(map(depth, members), default=0)


def count_edges(workflow: dict[str, Any]) -> int:
    """The edges in a workflow's ``connections``."""
    return sum(
        len(output or ())
        for ports in workflow.get("connections", {}).values()
        for outputs in ports.values()
        for output in outputs
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (from 0 to 1) of the values lie."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def read_corpus(path: Path) -> list[bytes]:
    """The workflows of a corpus, written as the generator writes its own."""
    raw = path.read_bytes()
    lines = (gzip.decompress(raw) if path.suffix == ".gz" else raw).splitlines()
    workflows = [json.loads(line)["workflow"] for line in lines]
    return [json.dumps(workflow, ensure_ascii=False, separators=(",", ":")).encode() for workflow in workflows]


def generated(count: int) -> list[bytes]:
    """The JSON of ``count`` generated workflows, less the few that have none."""
    parts = (workflow.structure for workflow in generate(count))
    return [part.workflow_json.raw for part in parts if part is not None and part.workflow_json is not None]


def table(ours: Shape, real: Shape) -> str:
    """Both sides by row, with generated / real."""
    lines = [f"{'':24}{'generated':>12}{'real':>12}{'ratio':>8}"]

    def row(name: str, left: float, right: float, form: str) -> None:
        lines.append(f"{name:24}{left:>12{form}}{right:>12{form}}{left / right if right else 0:>8.2f}")

    columns: tuple[tuple[str, Sequence[float], Sequence[float], str], ...] = (
        ("bytes", ours.sizes, real.sizes, ",.0f"),
        ("nodes", ours.nodes, real.nodes, ",.0f"),
        ("depth", ours.depths, real.depths, ",.0f"),
        ("types of a workflow", ours.kinds, real.kinds, ",.0f"),
        ("edges / nodes", ours.edges, real.edges, ".2f"),
        ("zlib / bytes", ours.ratios, real.ratios, ".3f"),
    )
    for name, left, right, form in columns:
        for share in (0.1, 0.5, 0.9, 0.99):
            row(f"{name} p{share * 100:.0f}", percentile(left, share), percentile(right, share), form)
        row(f"{name} max", max(left), max(right), form)
    row("bytes mean", sum(ours.sizes) / len(ours.sizes), sum(real.sizes) / len(real.sizes), ",.0f")
    row("zlib / bytes in all", ours.total_ratio, real.total_ratio, ".3f")
    row("distinct types in all", ours.distinct, real.distinct, ",.0f")
    row("share with sticky note", ours.sticky_share, real.sticky_share, ".2f")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table and the generator's speed."""
    folder = Path(os.environ.get("WORKFLOW_STORE_CORPUS", _DEFAULT_CORPUS))
    parser = argparse.ArgumentParser(prog="benchmarks.calibrate", description="Generated workflows beside real ones.")
    parser.add_argument("--corpus", type=Path, default=folder / _FILE, help="JSON lines of real workflows")
    parser.add_argument("--count", type=int, help="how many to generate (default: as many as the corpus has)")
    options = parser.parse_args(arguments)
    if not options.corpus.is_file():
        parser.error(f"{options.corpus} is not there; give --corpus or set WORKFLOW_STORE_CORPUS to its folder")
    real = read_corpus(options.corpus)
    count = options.count or len(real)
    generated(50)
    started = time.perf_counter()
    ours = generated(count)
    seconds = time.perf_counter() - started
    print(table(shape_of(ours), shape_of(real)))
    print(f"{count:,} generated in {seconds:.2f} s, {seconds / count * 1e6:.0f} µs each; {len(real):,} real")


if __name__ == "__main__":
    main()
