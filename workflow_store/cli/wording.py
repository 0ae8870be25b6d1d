"""Values in words: scraped text made harmless, figures with their units."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

# Whole sequences first, so that their parameters do not stay behind as text.
_SEQUENCES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, erase
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # OSC and other strings
    r"|\x1b[ -/]*[0-~]"
)
# Controls but for tab and newline, marks and overrides of direction, byte order marks, halves of characters.
_CONTROLS: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_SEPARATORS: Final = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BLANK_LINES: Final = re.compile(r"\n\s*\n\s*")


def paragraph(text: str, limit: int | None = None) -> str:
    """Text for a terminal: no escape sequences, controls or changes of direction; newlines stay.

    Args:
        limit: characters; what is longer ends in an ellipsis.
    """
    # What can't be seen costs nothing in a cut, so a margin for it is enough; a text of megabytes is not walked.
    head = text if limit is None else text[: 4 * limit + 1_000]
    seen = _CONTROLS.sub("", _SEQUENCES.sub("", _SEPARATORS.sub("\n", head)))
    seen = _BLANK_LINES.sub("\n\n", seen.expandtabs(4)).strip()
    if limit is not None and (len(seen) > limit or len(head) < len(text)):
        return f"{seen[: limit - 1].rstrip()}…"
    return seen


def line(text: str, limit: int | None = None) -> str:
    """``paragraph`` on one line, with single spaces."""
    return " ".join(paragraph(text, limit).split())


def identifier(text: str) -> str:
    """An id or a URL for a terminal, uncut; what can't be shown is spelt as an escape, so that ids stay distinct."""
    return "".join(
        character if character.isprintable() and not _CONTROLS.match(character) else _escaped(character)
        for character in text
    )


def escaped_json(text: str) -> str:
    """JSON text for a terminal: the same document, with what a terminal would obey spelt as escapes."""
    return _CONTROLS.sub(lambda match: _escaped(match[0]), text)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def count(number: int | None) -> str:
    """A number with its thousands apart; nothing for None."""
    return "" if number is None else f"{number:,}"


def decimal(number: float | None, digits: int = 1) -> str:
    """A number with so many digits behind the point; nothing for None."""
    return "" if number is None else f"{number:,.{digits}f}"


def size(bytes_: int) -> str:
    """Bytes in the unit that fits, powers of 1,000."""
    if bytes_ < 1_000:
        return f"{bytes_} B"
    value = float(bytes_)
    for unit in ("kB", "MB", "GB"):
        value /= 1_000
        if value < 999.95:
            return f"{value:.1f} {unit}"
    return f"{value / 1_000:,.1f} TB"


def moment(when: datetime | None) -> str:
    """A time in UTC to the minute; nothing for None."""
    return "" if when is None else f"{when.astimezone(UTC):%Y-%m-%d %H:%M}"


def plural(number: int, noun: str) -> str:
    """``1 workflow``, ``2 workflows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
