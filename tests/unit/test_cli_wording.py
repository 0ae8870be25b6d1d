"""Scraped text can do nothing to a terminal, and figures read well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_store.cli import wording

HOSTILE = "\x00\x07\x1b[2J\x9b31m\x1b]0;owned\x07\x1b]8;;http://evil\x1b\\link\u202edesrever\u2066\ufeff\ud800"
# What may be written to a terminal: no control but newline, nothing that turns the direction of text.
FORBIDDEN = [chr(code) for code in (*range(0x0A), *range(0x0B, 0x20), *range(0x7F, 0xA0), 0x202E, 0x2066, 0xD800)]


def test_escape_sequences_are_removed_with_their_parameters() -> None:
    assert wording.paragraph("a\x1b[31mred\x1b[0mb") == "aredb"
    assert wording.paragraph("a\x1b]0;title\x07b") == "ab"
    assert wording.paragraph("a\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\b") == "alinkb"
    assert wording.paragraph("a\x9b2Jb") == "ab"
    assert wording.paragraph("a\x1b(Bb\x1bcc") == "abc"


def test_an_unfinished_sequence_does_not_swallow_the_text_behind_it() -> None:
    assert wording.paragraph("a\x1b]0;the rest is text") == "a0;the rest is text"


@given(st.text(st.characters(codec=None)) | st.just(HOSTILE))
def test_no_text_keeps_a_control_character(text: str) -> None:
    shown = wording.paragraph(text) + wording.line(text) + wording.identifier(text)

    assert not [character for character in FORBIDDEN if character in shown.replace("\n", "")]
    assert "\n" not in wording.line(text) + wording.identifier(text)


@given(st.text(), st.text())
def test_distinct_ids_stay_distinct_if_they_are_printable(one: str, other: str) -> None:
    if one.isprintable() and "\u200e" not in one:
        assert wording.identifier(one) == one
    if one == other:
        assert wording.identifier(one) == wording.identifier(other)


def test_an_id_shows_what_can_not_be_seen_as_an_escape() -> None:
    assert wording.identifier("a\x1b[31m\u202eb\U000e0001") == "a\\u001b[31m\\u202eb\\U000e0001"


def test_rich_markup_is_text() -> None:
    assert wording.line("[bold red]x[/] [link=http://evil]y[/link]") == "[bold red]x[/] [link=http://evil]y[/link]"


def test_a_paragraph_keeps_its_lines_and_a_line_joins_them() -> None:
    text = " one\r\ntwo\u2028three\n\n\n \nfour\tfive "

    assert wording.paragraph(text) == "one\ntwo\nthree\n\nfour    five"
    assert wording.line(text) == "one two three four five"


def test_a_long_text_ends_in_an_ellipsis_at_its_limit() -> None:
    assert wording.line("x" * 1_000, 10) == "xxxxxxxxx…"
    assert wording.line("x" * 10, 10) == "x" * 10
    assert len(wording.paragraph("word " * 2_000_000, 400)) <= 400


def test_json_for_a_terminal_is_the_same_document_in_escapes() -> None:
    assert wording.escaped_json('{"a":"\x9b2J\u202e\x7f"}') == '{"a":"\\u009b2J\\u202e\\u007f"}'
    assert wording.escaped_json('{"a":"ä🤖"}') == '{"a":"ä🤖"}'


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (12_345_678, "12.3 MB"),
        (999_960_000, "1.0 GB"),
        (5 * 10**15, "5,000.0 TB"),
    ],
)
def test_sizes_have_the_unit_that_fits(size: int, shown: str) -> None:
    assert wording.size(size) == shown


def test_figures_read_well_and_what_is_absent_is_empty() -> None:
    berlin = datetime(2026, 11, 24, 23, 10, tzinfo=timezone(timedelta(hours=1)))

    assert wording.moment(berlin) == "2026-11-24 22:10"
    assert wording.moment(datetime.max.replace(tzinfo=UTC)) == "9999-12-31 23:59"
    assert (wording.count(3_000_000_000), wording.decimal(85.25), wording.decimal(99, 0)) == (
        "3,000,000,000",
        "85.2",
        "99",
    )
    assert (wording.count(None), wording.decimal(None), wording.moment(None)) == ("", "", "")
    assert (wording.plural(1, "workflow"), wording.plural(0, "workflow")) == ("1 workflow", "0 workflows")
