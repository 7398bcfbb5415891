"""Small servers of this machine for the libraries' clients: HTTP with streams, web sockets, and Redis."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import websockets.sync.server
from fakeredis import TcpFakeServer
from websockets.exceptions import ConnectionClosed

CHUNKS = ("Hello", " ", "world")


def _openai() -> str:
    part = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    parts = [part | {"choices": [{"index": 0, "delta": {"content": chunk}, "finish_reason": None}]} for chunk in CHUNKS]
    return "".join(f"data: {json.dumps(each)}\n\n" for each in parts) + "data: [DONE]\n\n"


def _anthropic() -> str:
    message: dict[str, Any] = {"id": "1", "type": "message", "role": "assistant", "content": [], "model": "m",
               "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}  # fmt: skip
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": chunk}} for chunk in CHUNKS),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ]
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._count()
        self._answer("text/plain", "a\nb\nc\n")

    def do_POST(self) -> None:
        self._count()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_openai = "completions" in self.path
        self._answer("text/event-stream", _openai() if is_openai else _anthropic())

    def _count(self) -> None:
        asked: Counter[str] = self.server.asked  # type: ignore[attr-defined]
        asked[self.path] += 1

    def _answer(self, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Quiet."""


def _echo(connection: Any) -> None:
    with contextlib.suppress(ConnectionClosed):  # the process at the other end is killed
        for message in connection:
            connection.send(f"echo {message}")


class Servers:
    """Started, and stopped at the end. ``variables``: the environment that tells where they are. ``asked``: HTTP, by path."""

    def __enter__(self) -> Servers:
        self._all: list[Any] = [
            ThreadingHTTPServer(("127.0.0.1", 0), _Handler),
            websockets.sync.server.serve(_echo, "127.0.0.1", 0),
            TcpFakeServer(("127.0.0.1", 0)),
        ]
        self.asked: Counter[str] = Counter()
        self._all[0].asked = self.asked
        for server in self._all:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        http, sockets, redis = self._all
        self.variables = {
            "HTTP": f"http://127.0.0.1:{http.server_port}",
            "WS": f"ws://127.0.0.1:{sockets.socket.getsockname()[1]}",
            "REDIS": f"redis://127.0.0.1:{redis.server_address[1]}",
            "OPENAI_API_KEY": "none",
            "ANTHROPIC_API_KEY": "none",
        }
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        for server in self._all:
            server.shutdown()
