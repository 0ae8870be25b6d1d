"""``search``, ``suggest``, ``count`` and the filters on a real database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.commands import run, run_in_terminal, seen, store_workflows, with_store
from tests.records import full_workflow, small_workflow
from workflow_store import Content, Metadata, Structure, Workflow
from workflow_store.samples import generate

HOSTILE = "\x1b[2J\x1b]0;owned\x07[bold]\x9b31m\u202e telegram\x1b[31m bot"
# The workflow that these keep, among a bare one, is the full one.
KEPT = (
    ["--layer1-success"],
    ["--layer2-success"],
    ["--layer3-success"],
    ["--min-quality", "85.3"],
    ["--max-quality", "85.3"],
    ["--node-type", "none", "--node-type", "n8n-nodes-base.start"],
    ["--node-type-all", "n8n-nodes-base.telegram", "--node-type-all", "n8n-nodes-base.start"],
    ["--category", "AI"],
    ["--tag", "агент"],
    ["--author", "Ada"],
    ["--min-views", "3000000000"],
    ["--has-videos"],
    ["--min-nodes", "2"],
    ["--max-nodes", "2"],
    ["--extracted-before", "2026-05-05"],
    ["--has-error"],
)


def _titled(workflow_id: str, title: str, description: str | None = None) -> Workflow:
    return small_workflow(workflow_id, metadata=Metadata(title=title, description=description))


def _found(*arguments: str) -> list[str]:
    return [item["workflow"]["workflow_id"] for item in run("search", *arguments, "--json").document["items"]]


@pytest.fixture
def two(dsn: str) -> str:
    """A server with a full workflow and one of which next to nothing is known."""
    later = datetime(2027, 1, 1, tzinfo=UTC)
    store_workflows(dsn, [full_workflow(), Workflow(workflow_id="bare", url="u", extracted_at=later)])
    return dsn


class TestFilters:
    @pytest.mark.parametrize("options", KEPT, ids=lambda options: options[0])
    def test_each_keeps_the_same_in_list_and_count(self, two: str, options: list[str]) -> None:
        listed = run("list", "--json", *options).document["items"]

        assert [item["workflow_id"] for item in listed] == ["2462"]
        assert run("count", "--json", *options).document == {"total": 1}

    def test_a_moment_divides_the_old_from_the_new(self, two: str) -> None:
        assert run("count", "--extracted-after", "2026-12-31T23:00:00-01:00").out == "1 workflow\n"
        assert run("count", "--extracted-after", "2027-01-01T00:00:01Z").out == "0 workflows\n"
        assert run("count", "--updated-after", "2020-01-01").out == "2 workflows\n"

    def test_no_turns_a_flag_round(self, two: str) -> None:
        (item,) = run("list", "--no-has-error", "--no-has-videos", "--json").document["items"]

        assert item["workflow_id"] == "bare"

    def test_a_search_takes_them_too(self, two: str) -> None:
        assert _found("telegram", "--category", "AI", "--min-views", "5") == ["2462"]
        assert _found("telegram", "--category", "AI", "--no-has-error") == []

    @pytest.mark.parametrize("verb", [["list"], ["count"], ["search", "x"]], ids=lambda verb: verb[0])
    @pytest.mark.parametrize(
        "option", [["--min-quality", "nan"], ["--extracted-after", "soon"], ["--min-views", "many"]]
    )
    def test_a_value_of_another_type_is_wrong_usage(self, dsn: str, verb: list[str], option: list[str]) -> None:
        ran = run(*verb, *option)

        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("workflow-store: error: ")


class TestSearch:
    def test_json_has_rank_pieces_and_the_workflow(self, dsn: str) -> None:
        store_workflows(dsn, [_titled("1", "Telegram AI agent", "Answers on telegram"), _titled("2", "Slack bot")])

        document = run("search", "telegram", "agent", "--json").document

        (item,) = document["items"]
        assert (document["total"], document["next"], document["capped"]) == (1, None, False)
        assert item["rank"] > 0
        assert item["highlights"]["title"] == [
            {"text": "Telegram", "match": True},
            {"text": " AI ", "match": False},
            {"text": "agent", "match": True},
        ]
        assert item["workflow"]["metadata"]["title"] == "Telegram AI agent"

    def test_people_get_the_lines_of_the_list_and_the_texts_below(self, dsn: str) -> None:
        store_workflows(dsn, [_titled("1", "Telegram AI agent", "Answers on telegram at night")])

        lines = run("search", "telegram").out.splitlines()

        assert lines[0].split()[:3] == ["id", "title", "views"]
        assert lines[1].startswith("1  Telegram AI agent  ")
        assert lines[2:] == ["  description  Answers on telegram at night", "1 in all"]

    def test_a_terminal_shows_the_matches_in_another_colour(self, dsn: str) -> None:
        store_workflows(dsn, [_titled("1", "An agent for Telegram", "word " * 40 + "telegram" + " word" * 40)])

        code, shown = run_in_terminal("search", "telegram")

        assert code == 0
        assert "\x1b[1;33mTelegram\x1b[0m" in shown
        assert "\x1b[1;33mtelegram\x1b[0m" in shown
        assert max(map(len, seen(shown))) <= 80

    def test_found_text_can_not_reach_the_terminal_as_more_than_text(self, dsn: str) -> None:
        hostile = Content(explainer_text=HOSTILE)
        store_workflows(dsn, [_titled("1", HOSTILE, HOSTILE).model_copy(update={"content": hostile})])
        with_store(dsn, lambda store: store.refresh_search())

        shown = run("search", "telegram").out + run("suggest", "tele").out
        _, on_terminal = run_in_terminal("search", "telegram")

        assert not {"\x1b", "\x07", "\x9b", "\u202e", "\ue000", "\ue001"} & set(shown)
        assert not {"\x07", "\x9b", "\u202e", "\ue000", "\ue001"} & set(on_terminal)
        assert "\x1b[2J" not in on_terminal
        assert "\x1b]" not in on_terminal
        assert "\x1b[31m" not in on_terminal
        assert shown.count("[bold]") == 4
        assert shown.count("telegram bot") == 2

    def test_each_mode_finds_in_its_own_way(self, dsn: str) -> None:
        store_workflows(dsn, [_titled("1", "Telegram agent", "100% free"), _titled("2", "Slack bot", "telegram")])

        assert _found("telegram -slack") == ["1"]
        assert _found("00%", "--mode", "substring") == ["1"]
        assert _found("tele", "--mode", "substring", "--search-fields", "title") == ["1"]
        assert _found("tele", "--mode", "substring", "--search-fields", "title", "--search-fields", "description") == [
            "1",
            "2",
        ]
        assert _found("telegrm agnt", "--mode", "fuzzy") == ["1"]

    @pytest.mark.parametrize("mode", ["fulltext", "substring", "fuzzy"])
    def test_pages_follow_one_another_to_the_end(self, dsn: str, mode: str) -> None:
        store_workflows(dsn, [_titled(str(number), f"Telegram agent {number}") for number in range(7)])
        ids: list[str] = []
        after: list[str] = []

        for _ in range(4):
            ran = run("search", "telegram", "agent", "--mode", mode, "--limit", "3", "--total", "--json", *after)
            ids += [item["workflow"]["workflow_id"] for item in ran.document["items"]]
            assert ran.document["total"] == 7
            if ran.document["next"] is None:
                break
            after = ["--after", ran.document["next"]]

        assert sorted(ids) == [str(number) for number in range(7)]

    def test_the_next_command_is_told_and_nothing_is_said_to_be_nothing(self, dsn: str) -> None:
        store_workflows(dsn, generate(30))

        ran, none = run("search", "with", "--mode", "substring", "--limit", "1"), run("search", "xyzzy")

        assert "the same command with --after " in ran.err
        assert " in all" not in ran.out
        assert (none.code, none.out) == (0, "nothing was found\n")

    def test_parts_are_those_that_are_asked_for(self, dsn: str) -> None:
        store_workflows(dsn, [full_workflow()])

        (item,) = run("search", "telegram", "--json", "--include", "structure").document["items"]

        assert {"structure"} == {"metadata", "structure", "content", "transcripts"} & item["workflow"].keys()

    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            [" "],
            ["x", "--mode", "soundex"],
            ["x", "--search-fields", "url"],
            ["x", "--after", "damaged"],
            ["x" * 2_001],
        ],
    )
    def test_what_can_not_be_asked_is_wrong_usage(self, dsn: str, arguments: list[str]) -> None:
        shown, told = run("search", *arguments), run("search", *arguments, "--json")

        assert (shown.code, shown.out, told.code, told.err) == (2, "", 2, "")
        assert told.document["error"]["message"] in shown.err


class TestSuggest:
    def test_titles_come_a_line_each_those_that_begin_so_first(self, dsn: str) -> None:
        titles = ["An agent for Telegram", "Telegram agent", "Slack bot"]
        store_workflows(dsn, [_titled(str(number), title) for number, title in enumerate(titles)])

        assert run("suggest", "tele").out.splitlines() == ["Telegram agent", "An agent for Telegram"]
        assert run("suggest", "tele", "--limit", "1", "--json").document == {"titles": ["Telegram agent"]}

    def test_nothing_that_begins_so_is_an_empty_answer(self, dsn: str) -> None:
        shown, told = run("suggest", "xyzzy"), run("suggest", "xyzzy", "--json")

        assert (shown.code, shown.out) == (0, "")
        assert "no title" in shown.err
        assert (told.code, told.document) == (0, {"titles": []})

    def test_no_letters_are_wrong_usage(self, dsn: str) -> None:
        assert run("suggest", "").code == 2


def test_an_order_goes_both_ways_and_an_offset_skips(dsn: str) -> None:
    store_workflows(dsn, [small_workflow(str(n), structure=Structure(node_count=n)) for n in range(4)])

    def ids(*options: str) -> list[str]:
        return [
            item["workflow_id"]
            for item in run("list", "--order-by", "node_count", "--json", *options).document["items"]
        ]

    assert ids() == ["3", "2", "1", "0"]
    assert ids("--asc") == ["0", "1", "2", "3"]
    assert ids("--offset", "1", "--limit", "2") == ["2", "1"]
