"""A web server of a test's own, which answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def extraction(title: object) -> bytes:
    """A page with an extraction result."""
    workflow = {"nodes": [{"name": "a", "type": "n8n-nodes-base.start"}], "connections": {}}
    layers = {"layer1": {"success": True, "title": title}, "layer2": {"success": True, "workflow_json": workflow}}
    return json.dumps({"layers": layers, "quality_score": 81.5}).encode()


class Site:
    """Pages by path: the answers to give one after the other, the last one for ever."""

    def __init__(self, pages: dict[str, list[tuple[int, bytes]]]) -> None:
        self.pages = pages
        self.asked: list[str] = []
        self.url = ""

    def answer(self, path: str) -> tuple[int, bytes]:
        self.asked.append(path)
        answers = self.pages.get(path, [(404, b"")])
        return answers[min(self.asked.count(path), len(answers)) - 1]


@contextmanager
def serving(pages: dict[str, list[tuple[int, bytes]]]) -> Iterator[Site]:
    """The site on a port of this machine."""
    site = Site(pages)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = site.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield site
        server.shutdown()
        thread.join()
