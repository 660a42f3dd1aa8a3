"""The comments of GitHub, GitLab and Bitbucket over HTTP, as far as a pipeline uses them: listed in pages, written, edited."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

TOKEN = "comment-token-7f3a"
BOT = "github-actions[bot]"
BOT_ID = 42
BOT_UUID = "{bot}"
PAGE = 2
"""Comments on a page, however many were asked for: nobody may rely on one page."""


@dataclass
class Comment:
    id: int
    author: str
    body: str
    edits: int = 0


@dataclass
class CodeHost:
    """`requests`: number → its comments. `merged`: commit → the request it came from."""

    url: str = ""
    requests: dict[int, list[Comment]] = field(default_factory=dict)
    merged: dict[str, int] = field(default_factory=dict)

    def say(self, number: int, author: str, body: str) -> None:
        comments = self.requests.setdefault(number, [])
        comments.append(Comment(1000 * number + len(comments), author, body))

    def comment(self, number: int) -> Comment:
        """The one comment of the pipeline."""
        (found,) = [comment for comment in self.requests.get(number, ()) if comment.author == BOT]
        return found

    def answer(self, method: str, path: str, query: str, body: Any) -> tuple[int, Any]:
        for pattern, verb, reply in (
            (r"/repos/o/r/commits/(\w+)/pulls", "GET", self._origins),
            (r"/projects/o%2Fr/repository/commits/(\w+)/merge_requests", "GET", self._origins),
            (r"/repos/o/r/issues/(\d+)/comments", "GET", self._listed),
            (r"/projects/o%2Fr/merge_requests/(\d+)/notes", "GET", self._listed),
            (r"/repos/o/r/issues/(\d+)/comments", "POST", self._added),
            (r"/projects/o%2Fr/merge_requests/(\d+)/notes", "POST", self._added),
            (r"/repos/o/r/issues/comments/(\d+)", "PATCH", self._edited),
            (r"/projects/o%2Fr/merge_requests/\d+/notes/(\d+)", "PUT", self._edited),
            (r"/user()", "GET", lambda *_: {"id": BOT_ID}),
            (r"/repositories/o/r/commit/(\w+)/pullrequests", "GET", lambda *asked: {"values": self._origins(*asked)}),
            (r"/repositories/o/r/pullrequests/(\d+)/comments", "GET", self._linked),
            (r"/repositories/o/r/pullrequests/(\d+)/comments", "POST", self._added),
            (r"/repositories/o/r/pullrequests/\d+/comments/(\d+)", "PUT", self._edited),
        ):
            if verb == method and (found := re.fullmatch(pattern, path)):
                return 200, reply(found[1], query, body)
        return 404, {"message": f"{method} {path}"}

    def _origins(self, sha: str, _query: str, _body: Any) -> Any:
        return [{"number": number, "iid": number, "id": number} for commit, number in self.merged.items() if commit == sha]

    def _listed(self, number: str, query: str, _body: Any) -> Any:
        page = int(re.findall(r"\bpage=(\d+)", query)[0])
        shown = self.requests.get(int(number), [])[(page - 1) * PAGE : page * PAGE]
        return [self._shown(comment) for comment in shown]

    def _linked(self, number: str, query: str, _body: Any) -> Any:
        """Pages that name the next one, as Bitbucket's."""
        page = int((re.findall(r"\bpage=(\d+)", query) or ["1"])[0])
        shown = self._listed(number, f"page={page}", None)
        following = {"next": f"{self.url}/repositories/o/r/pullrequests/{number}/comments?page={page + 1}"} if len(shown) == PAGE else {}
        return {"values": shown, **following}

    def _shown(self, comment: Comment) -> dict[str, Any]:
        author = {"id": BOT_ID if comment.author == BOT else 7, "username": comment.author}
        user = {"login": comment.author, "uuid": BOT_UUID if comment.author == BOT else "{somebody}"}
        return {"id": comment.id, "body": comment.body, "content": {"raw": comment.body}, "user": user, "author": author}

    def _added(self, number: str, _query: str, body: Any) -> Any:
        self.say(int(number), BOT, _text(body))
        return self._shown(self.requests[int(number)][-1])

    def _edited(self, id: str, _query: str, body: Any) -> Any:
        comment = next(c for comments in self.requests.values() for c in comments if c.id == int(id))
        comment.body, comment.edits = _text(body), comment.edits + 1
        return self._shown(comment)


def _text(body: Any) -> str:
    return str(body["content"]["raw"] if "content" in body else body["body"])


@contextmanager
def code_host() -> Iterator[CodeHost]:
    host = CodeHost()

    class Answers(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            path, _, query = self.path.partition("?")
            known = TOKEN in (self.headers.get("PRIVATE-TOKEN"), (self.headers.get("Authorization") or "").removeprefix("Bearer "))
            status, reply = host.answer(self.command, path, query, body) if known else (401, {"message": "Bad credentials"})
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(reply).encode())

        do_GET = do_POST = do_PUT = do_PATCH = _answer  # noqa: N815 (the names that http.server looks for)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    host.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
