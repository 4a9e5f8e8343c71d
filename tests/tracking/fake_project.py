"""A W&B server on the loopback address that keeps saved views, as far as saving dashboards asks it."""

import json
import re
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PAGE = {"__typename": "PageInfo", "endCursor": "c", "hasNextPage": False}
PROJECT = {"__typename": "Project", "id": "p", "name": "p", "entityName": "me", "createdAt": "2026-01-01T00:00:00Z",
           "isBenchmark": False, "user": None}  # fmt: skip


class FakeProject(ThreadingHTTPServer):
    """`views` by their id; a view that is saved without an id gets a new one, as W&B does."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.views: dict[str, dict[str, Any]] = {}
        self.unknown: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, query: str, values: dict[str, Any]) -> dict[str, Any]:
        if "upsertView" in query:
            return {"upsertView": {"view": self._save(values), "inserted": True}}
        if "allViews" in query:
            return {"project": {"allViews": {"edges": self._edges(values), "pageInfo": PAGE}}}
        if re.search(r"\bview\(", query):
            return {"view": self.views[values["reportId"]]}
        if "viewer" in query:
            return {"viewer": {"id": "u", "entity": "me", "username": "me", "teams": {"edges": []}, "flags": "{}"}}
        if "models" in query:
            return {"models": {"edges": [{"node": PROJECT}], "pageInfo": PAGE}}
        self.unknown.append(query)
        return {}

    def _save(self, values: dict[str, Any]) -> dict[str, Any]:
        view_id = values.get("id") or b64encode(f"View:{len(self.views)}".encode()).decode()
        project = {"id": "p", "name": values["projectName"], "entityName": values["entityName"]}
        fixed = {"project": project, "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"}
        self.views[view_id] = {**values, **fixed, "id": view_id}
        return self.views[view_id]

    def _edges(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        wanted = {"type": values.get("viewType", "runs"), "name": values.get("viewName")}
        found = [v for v in self.views.values() if all(w is None or v[key] == w for key, w in wanted.items())]
        return [{"node": view, "cursor": view["id"]} for view in found]


class Handler(BaseHTTPRequestHandler):
    server: FakeProject

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = json.loads(body) if self.path == "/graphql" else {"query": self.path}
        answer = json.dumps({"data": self.server.answer(request["query"], request.get("variables") or {})}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@contextmanager
def fake_project() -> Iterator[FakeProject]:
    """A server that runs until the block ends."""
    server = FakeProject()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
