"""``report``: a page that shows what is stored, obeys nothing that was scraped, and needs nothing else."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.commands import run
from tests.records import full_workflow, small_workflow
from workflow_store import Metadata, Settings, Structure, WorkflowStore
from workflow_store.operations.backup import create_backup
from workflow_store.operations.report import make_report

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>&\x1b[31m\u202e'
# What has no end tag in HTML.
_VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """The elements and texts of a page; every element has to be closed where it was opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes += attrs
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] != "style":
            self.texts.append(data.strip())


@pytest.fixture
def settings(database_dsn: str, tmp_path: Path) -> Settings:
    return Settings.load(dsn=database_dsn, backup_dir=tmp_path / "backups", media_dir=tmp_path / "media")


async def test_what_is_stored_is_on_the_page(settings: Settings) -> None:
    async with WorkflowStore.open(settings) as store:
        await store.ingest(
            [
                full_workflow("1", quality_score=100.0),
                full_workflow("2", quality_score=42.0),
                small_workflow("3", quality_score=9.99),
                small_workflow("4"),
            ]
        )
    made = await create_backup(settings)
    page = Page(await make_report(settings))

    texts = page.texts
    assert texts[texts.index("workflows") - 1] == "4"
    shown = [text for text in texts if text]
    for name, number in (("metadata", "4"), ("content", "2"), ("90 to 100", "1"), ("40 to 50", "1"), ("0 to 10", "1")):
        assert shown[shown.index(name) + 1] == number
    assert "n8n-nodes-base.telegram" in texts
    assert made.name in texts
    assert "every migration is applied" in texts


async def test_an_empty_store_has_a_page(settings: Settings) -> None:
    page = Page(await make_report(settings))

    assert page.texts.count("none") >= 5
    assert "none in the last 30 days" in page.texts


async def test_what_was_scraped_is_text_and_nothing_else(settings: Settings) -> None:
    async with WorkflowStore.open(settings) as store:
        hostile = small_workflow(
            "1",
            error_message=HOSTILE,
            metadata=Metadata(title=HOSTILE, categories=(HOSTILE,), author_name=HOSTILE),
            structure=Structure(node_types=(HOSTILE, "'; DROP TABLE"), extraction_type="full"),
        )
        await store.create_workflow(hostile)
    text = await make_report(settings)
    page = Page(text)

    assert not page.elements.keys() & {"script", "img", "link", "iframe", "object"}
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert any("<script>alert(1)</script>" in found for found in page.texts)
    assert "\x1b" not in text
    assert "\u202e" not in text


async def test_it_needs_nothing_from_anywhere(settings: Settings) -> None:
    async with WorkflowStore.open(settings) as store:
        await store.create_workflow(full_workflow("1"))
    text = await make_report(settings)
    page = Page(text)

    assert not [value for name, value in page.attributes if name in {"src", "href", "srcset", "data"}]
    assert "url(" not in text
    assert "@import" not in text
    assert "prefers-color-scheme: dark" in text
    assert page.elements["script"] == 0


def test_the_command_writes_the_file_and_says_so(dsn: str, tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    ran, told = run("report", "-o", str(place)), run("report", "--output", str(place), "--json")

    assert (ran.code, told.code) == (0, 0)
    assert place.read_text().startswith("<!doctype html>")
    assert told.document == {"output": str(place), "bytes": place.stat().st_size}
    refused = run("report", "-o", str(tmp_path / "not there" / "report.html"))
    assert refused.code == 2
