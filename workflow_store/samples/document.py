"""A generated workflow's own JSON, with what is counted in it."""

from __future__ import annotations

import json
from math import fsum
from typing import Final, NamedTuple

from workflow_store.samples.draws import UUID_MIDDLES, Draws, phrases
from workflow_store.samples.nodetypes import AGENT, SERVANTS, STICKY, TRIGGERS, NodeType, ordinary
from workflow_store.samples.parameters import BUILDERS, code, fixed, text

# Values at draws.POSITIONS, fitted to 14,668 public workflows.
NODE_COUNTS: Final = (1.0, 3.0, 5.0, 8.0, 14.0, 22.0, 34.0, 44.0, 75.0, 105.0, 140.0, 200.0, 247.0)
SIZES: Final = (
    *(600.0, 1_900.0, 2_700.0, 5_200.0, 9_900.0, 17_300.0, 28_000.0, 41_000.0),
    *(74_000.0, 110_000.0, 200_000.0, 600_000.0, 1_100_000.0),
)
_NODE_BYTES: Final = 205
_LARGE: Final = 120_000  # bytes; above it one string makes up most of a document
_BRANCHING: Final = frozenset({"if", "switch"})


class Document(NamedTuple):
    """``raw`` is the JSON text in UTF-8; ``links`` the number of edges; ``types`` sorted and distinct."""

    raw: bytes
    nodes: int
    links: int
    types: tuple[str, ...]


def build(draws: Draws, title: str | None) -> Document:
    """One workflow; a title of None leaves its name out."""
    spread = draws.random()
    count = int(draws.quantile(NODE_COUNTS, spread))
    size = int(draws.quantile(SIZES, _near(draws, spread)))
    types = _types(draws, count)
    names = _names(draws, types)
    connections, links = _connections(draws, types, names)
    head = _head(draws, title)
    spare = size - len(head) - _NODE_BYTES * count - len(connections)
    nodes = _nodes(draws, types, names, spare if spare < _LARGE else spare // 3)
    body = ",".join(nodes)
    missing = size - len(head) - len(connections) - len(body)
    pins = _pins(draws, names[0], missing) if missing > 1_200 or draws.random() < 0.02 else "{}"
    raw = f'{{{head}"nodes":[{body}],"pinData":{pins},"connections":{connections}}}'
    return Document(raw.encode(), count, links, tuple(sorted({node_type.name for node_type in types})))


def _near(draws: Draws, position: float) -> float:
    """Another position close to the first, itself evenly spread over 0 to 1."""
    moved = position + (draws.random() + draws.random() - 1) * 0.4
    if moved < 0:
        return -moved
    return moved if moved < 1 else 2 - moved - 1e-12


def _types(draws: Draws, count: int) -> list[NodeType]:
    stickies = min(int(count * (0.08 + 0.36 * draws.random()) + 0.7), count - 1) if draws.random() < 0.86 else 0
    table = ordinary()
    slots = draws.slots(count)
    types = [draws.pick(TRIGGERS)]
    for place in range(1, count - stickies):
        slot = slots[place]
        # A workflow repeats its own types far more often than chance would.
        types.append(types[1 + (slot >> 2) % (place - 1)] if slot & 3 < 2 and place > 1 else table[slots[place - 1]])
    if count - stickies > 4 and slots[0] & 3 == 0:
        types[2] = AGENT
        types[3] = draws.pick(SERVANTS)
    types.extend([STICKY] * stickies)
    return types


def _names(draws: Draws, types: list[NodeType]) -> list[str]:
    taken: dict[str, int] = {}
    names: list[str] = []
    titles = phrases()
    for node_type, slot in zip(types, draws.slots(len(types)), strict=True):
        name = titles[slot >> 4] if slot & 1 and node_type is not STICKY else node_type.label
        again = taken.get(name, 0)
        taken[name] = again + 1
        names.append(f"{name}{again}" if again else name)
    return names


def _head(draws: Draws, title: str | None) -> str:
    members = [f'"meta":{{"instanceId":"{draws.hexadecimal(64)}"}},'] if draws.random() < 0.7 else []
    if draws.random() < 0.5:
        members.append(f'"id":"{draws.hexadecimal(16)}",')
    if title is not None:
        members.append(f'"name":{json.dumps(title, ensure_ascii=False)},')
    if draws.random() < 0.35:
        tag = draws.words(1)
        members.append(f'"tags":["{tag}"],' if draws.random() < 0.7 else f'"tags":[{{"id":"{tag}","name":"{tag}"}}],')
    if draws.random() < 0.6:
        members.append(f'"active":false,"settings":{{"executionOrder":"v1"}},"versionId":"{draws.uuid()}",')
    return "".join(members)


def _nodes(draws: Draws, types: list[NodeType], names: list[str], spare: int) -> list[str]:
    slots = draws.slots(len(types))
    shares = [node_type.weight * (12_000 + slot) for node_type, slot in zip(types, slots, strict=True)]
    left = fsum(shares)
    noted = draws.random() < 0.12
    column = row = 0
    nodes: list[str] = []
    constant = fixed()
    bits = draws.bits
    for node_type, name, share, slot in zip(types, names, shares, slots, strict=True):
        kind, label, version, shape, _, _ = node_type
        if shape in constant:
            parameters = constant[shape][slot & 255]
        else:
            parameters = BUILDERS[shape](draws, int(spare * share / left) if share and spare > 0 else 0)
        spare -= len(parameters)
        left -= share
        column += 220
        if column > 2_640:
            column, row = 0, row + 320
        key = f"{bits(80):020x}"
        extra = ""
        if slot & 1 and shape in _CREDENTIALED:
            extra = f'"credentials":{{"{label}Api":{{"id":"{key[:16]}","name":"{label} account"}}}},'
        if noted:
            extra += f'"notes":"{label} node: {text(draws, 60)}",'
            spare -= 90
        nodes.append(
            f'{{"id":"{key[:8]}{UUID_MIDDLES[slot & 255]}{key[8:]}","name":"{name}","type":"{kind}",{extra}'
            f'"position":[{column - (slot & 48)},{row}],"parameters":{parameters},"typeVersion":{version}}}'
        )
    return nodes


_CREDENTIALED: Final = frozenset({"model", "sheet", "service", "prose"})


def _connections(draws: Draws, types: list[NodeType], names: list[str]) -> tuple[str, int]:
    chain = [place for place, node_type in enumerate(types) if not node_type.port and node_type is not STICKY]
    if len(chain) < 2 or draws.random() < 0.08:
        return "{}", 0
    members: list[str] = []
    links = 0
    last = len(chain) - 1
    for step, place in enumerate(chain[:-1]):
        luck = draws.random()
        if luck < 0.06:
            continue
        outputs = f"[{_link(names[chain[step + 1]])}]"
        links += 1
        if types[place].shape in _BRANCHING:
            outputs += f",[{_link(names[chain[min(step + 2, last)]])}]"
            links += 1
        elif luck > 0.93:
            outputs = f"{outputs[:-1]},{_link(names[chain[draws.below(last)]])}]"
            links += 1
        members.append(f'"{names[place]}":{{"main":[{outputs}]}}')
    for place, node_type in enumerate(types):
        if node_type.port:
            served = names[2 if types[2] is AGENT else chain[draws.below(last)]]
            members.append(f'"{names[place]}":{{"{node_type.port}":[[{_link(served, node_type.port)}]]}}')
            links += 1
    if draws.random() < 0.12:
        # As in real files, where a node was renamed or removed by hand.
        members.append(f'"{draws.words(2)} (old)":{{"main":[[{_link(names[chain[last]])}]]}}')
        links += 1
    return f"{{{','.join(members)}}}", links


def _link(name: str, port: str = "main") -> str:
    return f'{{"node":"{name}","type":"{port}","index":0}}'


def _pins(draws: Draws, name: str, size: int) -> str:
    """Pinned output of a node: rows of test data, with now and then one that is nested deeply."""
    rows: list[str] = []
    size = max(size, 200)
    if draws.random() < 0.1:
        levels = 6 + draws.below(7)
        rows.append('{"data":' * levels + f'"{draws.words(1)}"' + "}" * levels)
    if size > 30_000:
        # What makes the largest files large is one string: a page, or a file in Base64.
        half = size // 2
        rows.append(f'{{"json":{{"html":"{code(draws, half)}"}}}}')
        size -= half
    while size > 0:
        row = f'{{"json":{{"id":"{draws.uuid()}","name":"{draws.words(2)}","text":"{text(draws, 400)}"}}}}'
        size -= len(row)
        rows.append(row)
    return f'{{"{name}":[{",".join(rows)}]}}'
