"""A W&B server on the loopback address that knows as much of the protocol as one run needs."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ARTIFACT = {
    "__typename": "Artifact", "id": "a", "artifactSequence": {"__typename": "ArtifactSequence", "name": "n",
    "project": None}, "versionIndex": 0, "artifactType": {"name": "model"}, "description": None, "metadata": None,
    "ttlDurationSeconds": -1, "ttlIsInherited": True, "tags": [], "historyStep": None, "state": "COMMITTED", "size": 1,
    "digest": "d", "commitHash": None, "fileCount": 1, "createdAt": "2026-01-01T00:00:00Z", "updatedAt": None,
}  # fmt: skip


class FakeServer(ThreadingHTTPServer):
    """Keeps the history lines that it is sent; with `dies` it hangs up on everything once a run has begun.

    It takes `upload_s` seconds for each file of an artifact.
    """

    daemon_threads = True

    def __init__(self, dies: bool, upload_s: float) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.dies, self.upload_s = dies, upload_s
        self.alive = True
        self.history: list[dict[str, Any]] = []
        self.exit_codes: list[int] = []
        self.begun: list[dict[str, Any]] = []
        self.artifacts: dict[str, list[str]] = {}
        self.committed: list[str] = []
        self.refused: set[str] = set()
        self.summary: dict[str, Any] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def graphql(self, operation: str, variables: dict[str, Any]) -> dict[str, Any]:
        if operation == "Viewer":
            return {"viewer": {"id": "u", "entity": "team", "username": "me", "teams": {"edges": []}, "flags": "{}"}}
        if operation == "RunResumeStatus":
            return {"model": {"id": "p", "name": "p", "entity": {"id": "e", "name": "team"}, "bucket": self._bucket()}}
        if operation == "CreateRunFiles":
            files = [{"name": name, "uploadUrl": f"{self.url}/upload"} for name in variables["files"]]
            return {"createRunFiles": {"runID": "x", "uploadHeaders": [], "files": files}}
        if operation == "UpsertBucket" and variables["name"] in self.refused:
            raise KeyError("a run that was deleted")
        if operation == "UpsertBucket":
            self.begun.append(variables)
            self.alive = not self.dies
            project = {"id": "p", "name": "p", "entity": {"id": "e", "name": "team"}}
            bucket = {"id": "x", "name": variables["name"], "config": "{}", "project": project, "historyLineCount": 0}
            return {"upsertBucket": {"bucket": bucket, "inserted": True}}
        return self._artifact(operation, variables)

    def _artifact(self, operation: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Of an artifact the names of its files; their content is uploaded as that of any other."""
        if operation == "CreateArtifact":
            name = variables["input"]["artifactCollectionName"]
            self.artifacts[name] = []
            artifact = {"id": name, "state": "PENDING", "artifactSequence": {"id": "s", "latestArtifact": None}}
            return {"createArtifact": {"artifact": artifact}}
        if operation == "CreateArtifactManifest":
            file = {"id": "f", "name": "m", "displayName": "m", "uploadUrl": f"{self.url}/upload", "uploadHeaders": []}
            return {"createArtifactManifest": {"artifactManifest": {"id": "m", "file": file}}}
        if operation == "CreateArtifactFiles":
            asked = variables["input"]["artifactFiles"]
            for file in asked:  # of several artifacts at the same time
                self.artifacts[file["artifactID"]].append(file["name"])
            upload = {"id": "f", "uploadUrl": f"{self.url}/slow", "uploadHeaders": [], "artifact": {"id": "a"}}
            nodes = [{**upload, "name": f["name"], "displayName": f["name"], "storagePath": f["name"]} for f in asked]
            return {"createArtifactFiles": {"files": {"edges": [{"node": node} for node in nodes]}}}
        if operation == "CommitArtifact":
            self.committed.append(variables["artifactID"])
            return {"commitArtifact": {"artifact": {"id": "a", "digest": "d"}}}
        if operation == "ArtifactByID":
            return {"artifact": ARTIFACT}
        raise KeyError(operation)

    def stream(self, content: dict[str, Any]) -> None:
        lines = content.get("files", {}).get("wandb-history.jsonl", {}).get("content", [])
        self.history += [json.loads(line) for line in lines]
        for line in content.get("files", {}).get("wandb-summary.json", {}).get("content", []):
            self.summary |= json.loads(line)
        if content.get("complete"):
            self.exit_codes.append(content["exitcode"])

    def _bucket(self) -> dict[str, Any] | None:
        if not self.history:
            return None
        last = json.dumps(self.history[-1])
        counts = {"historyLineCount": len(self.history), "logLineCount": 0, "eventsLineCount": 0}
        tails = {"historyTail": json.dumps([last]), "eventsTail": "[]", "summaryMetrics": last}
        return {"id": "x", "name": "x", "config": "{}", "tags": [], "wandbConfig": '{"t": 1}', **counts, **tails}


class Handler(BaseHTTPRequestHandler):
    server: FakeServer

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.server.alive:
            return
        reply: dict[str, Any] = {}
        if self.path == "/graphql":
            request = json.loads(body)
            try:
                named = (
                    request.get("operationName") or request["query"].partition("(")[0].removeprefix("query ").strip()
                )
                data = self.server.graphql(named, request.get("variables") or {})
                reply = {"data": data}
            except KeyError as error:
                reply = {"errors": [{"message": f"unknown operation {error}"}]}
        elif self.path == "/slow":
            time.sleep(self.server.upload_s)
        elif self.path.endswith("/file_stream"):
            self.server.stream(json.loads(body))
        answer = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = _answer

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@contextmanager
def fake_server(dies: bool = False, upload_s: float = 0) -> Iterator[FakeServer]:
    """A server that runs until the block ends."""
    server = FakeServer(dies, upload_s)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
