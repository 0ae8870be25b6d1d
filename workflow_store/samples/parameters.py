"""The ``parameters`` of generated nodes, as JSON text of about the number of bytes asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Final

from workflow_store.samples import vocabulary
from workflow_store.samples.draws import TOPIC, Draws, passages, phrases

_CODE_LINE_BYTES: Final = 38
_WORDS: Final = vocabulary.IDENTIFIERS
_SEVERAL: Final = 24  # more than this many fields or rules are hardly ever met in one node


@cache
def _code_lines() -> tuple[str, ...]:
    """4,096 lines of JavaScript, ready to stand in JSON."""
    lines: list[str] = []
    for place in range(4_096):
        template = vocabulary.CODE[place % len(vocabulary.CODE)]
        name = _WORDS[place * 31 // 7 % len(_WORDS)]
        lines.append(json.dumps(template.replace("NAME", name) + "\n")[1:-1])
    return tuple(lines)


def text(draws: Draws, size: int) -> str:
    """Markdown, escaped."""
    return draws.prose(size, passages().escaped)


def code(draws: Draws, size: int) -> str:
    """JavaScript, escaped."""
    count = max(1, size // _CODE_LINE_BYTES)
    lines = _code_lines()
    if count > 1_000:
        return "".join([lines[slot & 0xFFF] for slot in draws.slots(count)])
    first = draws.topic % (4_096 - TOPIC)
    topic = lines[first : first + TOPIC]
    return "".join([topic[byte] for byte in draws.bits(8 * count).to_bytes(count, "little")])


@cache
def _expressions() -> tuple[str, ...]:
    """1,024 expressions."""
    draws = Draws(0, -3)
    verbs = vocabulary.VERBS
    return tuple(
        f"={{{{ $json.{draws.pick(_WORDS)} }}}}"
        if draws.chance(0.6)
        else f"={{{{ $('{draws.pick(verbs)} {draws.pick(_WORDS)}').item.json.{draws.pick(_WORDS)} }}}}"
        for _ in range(1_024)
    )


def _expression(draws: Draws) -> str:
    return _expressions()[draws.bits(10)]


def _sticky(draws: Draws, size: int) -> str:
    width, height = 240 + 20 * draws.below(40), 160 + 20 * draws.below(30)
    color = f'"color":{1 + draws.below(7)},' if draws.random() < 0.5 else ""
    heading = phrases()[draws.bits(12)]
    return f'{{{color}"width":{width},"height":{height},"content":"## {heading}\\n{text(draws, size - 60)}"}}'


def _http(draws: Draws, size: int) -> str:
    host, path = draws.pick(vocabulary.RARE).lower(), draws.pick(_WORDS)
    url = f"https://api.{host}.com/v{1 + draws.below(3)}/{path}"
    if size < 160:
        return f'{{"url":"{url}","options":{{}}}}'
    header = f'{{"name":"{draws.pick(_WORDS)}","value":"{_expression(draws)}"}}'
    body = text(draws, size - 330) if size > 380 else _expression(draws)
    return (
        f'{{"url":"{url}","method":"POST","options":{{"response":{{"response":{{"responseFormat":"json"}}}}}},'
        f'"jsonBody":"={{\\n  \\"model\\": \\"gpt-4o\\",\\n  \\"{path}\\": \\"{body}\\"\\n}}","sendBody":true,'
        f'"sendHeaders":true,"specifyBody":"json","headerParameters":{{"parameters":[{header}]}},'
        f'"authentication":"genericCredentialType","genericAuthType":"httpHeaderAuth"}}'
    )


def _set(draws: Draws, size: int) -> str:
    count = min(_SEVERAL, max(1, size // 150))
    spare = size - 150 * count
    expressions = _expressions()
    fields = [
        f'{{"id":"{draws.uuid()}","name":"{_WORDS[slot % 47]}","type":"string","value":"{expressions[slot >> 6]}"}}'
        for slot in draws.slots(count)
    ]
    if spare > 80:
        fields.append(f'{{"id":"{draws.uuid()}","name":"prompt","type":"string","value":"{text(draws, spare)}"}}')
    return f'{{"options":{{}},"assignments":{{"assignments":[{",".join(fields)}]}}}}'


def _code(draws: Draws, size: int) -> str:
    return f'{{"jsCode":"{code(draws, size)}"}}'


@cache
def _conditions() -> tuple[str, ...]:
    """1,024 comparisons of two strings."""
    draws = Draws(0, -4)
    return tuple(
        '{"options":{"version":2,"leftValue":"","caseSensitive":true,"typeValidation":"strict"},"combinator":"and",'
        f'"conditions":[{{"id":"{draws.uuid()}","operator":{{"type":"string","operation":"equals"}},'
        f'"leftValue":"{_expression(draws)}","rightValue":"{draws.pick(_WORDS)}"}}]}}'
        for _ in range(1_024)
    )


def _condition(draws: Draws) -> str:
    return _conditions()[draws.bits(10)]


def _switch(draws: Draws, size: int) -> str:
    rules = [
        f'{{"outputKey":"{draws.pick(_WORDS)}","conditions":{_condition(draws)},"renameOutput":true}}'
        for _ in range(min(_SEVERAL, max(2, size // 360)))
    ]
    return f'{{"rules":{{"values":[{",".join(rules)}]}},"options":{{}}}}'


@cache
def _columns() -> tuple[tuple[str, str], ...]:
    """For every identifier, a column's value and its place in the schema."""
    return tuple(
        (
            f'"{name}":"={{{{ $json.{name} }}}}"',
            (
                f'{{"id":"{name}","type":"string","display":true,"removed":false,"required":false,'
                f'"displayName":"{name}","defaultMatch":false,"canBeUsedToMatch":true}}'
            ),
        )
        for name in _WORDS
    )


def _sheet(draws: Draws, size: int) -> str:
    first = draws.below(len(_WORDS) - _SEVERAL)
    columns = _columns()[first : first + min(_SEVERAL, max(0, (size - 300) // 190))]
    return (
        f'{{"columns":{{"value":{{{",".join([value for value, _ in columns])}}},'
        f'"schema":[{",".join([place for _, place in columns])}],"mappingMode":"defineBelow",'
        f'"matchingColumns":["id"]}},'
        f'"options":{{}},"operation":"appendOrUpdate","sheetName":{{"__rl":true,"mode":"list","value":"gid=0",'
        f'"cachedResultName":"Sheet1"}},"documentId":{{"__rl":true,"mode":"id","value":"{draws.hexadecimal(40)}"}}}}'
    )


def _agent(draws: Draws, size: int) -> str:
    return (
        f'{{"text":"{_expression(draws)}","options":{{"systemMessage":"=You are {text(draws, size - 120)}"}},'
        f'"promptType":"define","hasOutputParser":true}}'
    )


def _prose(draws: Draws, size: int) -> str:
    return (
        f'{{"text":"={text(draws, size - 90)} {_expression(draws)}","chatId":"{_expression(draws)}",'
        f'"additionalFields":{{"appendAttribution":false}}}}'
    )


def _service(draws: Draws, size: int) -> str:
    resource, operation = draws.pick(_WORDS), ("get", "create", "update", "getAll", "delete")[draws.below(5)]
    extra = f'"notes":"{text(draws, size - 130)}"' if size > 200 else f'"{draws.pick(_WORDS)}":"{_expression(draws)}"'
    return f'{{"resource":"{resource}","operation":"{operation}","returnAll":true,"additionalFields":{{{extra}}}}}'


def _webhook(draws: Draws, size: int) -> str:
    return f'{{"path":"{draws.uuid()}","options":{{}},"httpMethod":"POST","responseMode":"responseNode"}}'


@cache
def fixed() -> dict[str, tuple[str, ...]]:
    """For every shape whose size is its own, 256 examples."""
    models = ("gpt-4o-mini", "gpt-4o", "gpt-4.1-mini", "gemini-2.0-flash", "claude-sonnet-4")
    merges = ('{"options":{}}', "{}", '{"mode":"combine","options":{},"combineBy":"combineByPosition"}')
    return {
        "empty": ("{}",) * 256,
        "if": tuple(f'{{"options":{{}},"conditions":{condition}}}' for condition in _conditions()[:256]),
        "merge": (merges * 86)[:256],
        "model": tuple(
            f'{{"model":{{"__rl":true,"mode":"list","value":"{models[place % 5]}",'
            f'"cachedResultName":"{models[place % 5]}"}},"options":{{}}}}'
            for place in range(256)
        ),
        "schedule": tuple(
            f'{{"rule":{{"interval":[{{"field":"hours","triggerAtHour":{place % 24}}}]}}}}' for place in range(256)
        ),
    }


BUILDERS: Final[dict[str, Callable[[Draws, int], str]]] = {
    "agent": _agent,
    "code": _code,
    "http": _http,
    "prose": _prose,
    "service": _service,
    "set": _set,
    "sheet": _sheet,
    "sticky": _sticky,
    "switch": _switch,
    "webhook": _webhook,
}
