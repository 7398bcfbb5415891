"""Services that programs of the tests ask: language models and a store of objects, which count what they are asked for."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from tests.harness.pages import Pages

PAUSE = 0.02  # seconds, before each part of an answer
WORDS = ("this ", "is ", "the answer to ")
USAGE = {"input_tokens": 1, "output_tokens": 3}


class Services(Pages):
    """`/v1/chat/completions` and `/v1/messages` answer as those of two known models, whole or streamed; `/shop` is a bucket.

    A question is the last message's text, and counted by it; a request for an object by its method and key.
    """

    def __init__(self) -> None:
        super().__init__()
        self.objects: dict[str, bytes] = {}

    def _add_routes(self, router: web.UrlDispatcher) -> None:
        super()._add_routes(router)
        router.add_post("/v1/chat/completions", self._complete)
        router.add_post("/v1/messages", self._converse)
        router.add_get("/shop", self._list)
        router.add_put("/shop/{key}", self._put)
        router.add_get("/shop/{key}", self._get)

    def _count(self, what: str) -> None:
        self.asked[what] += 1
        self.order.append(what)

    async def _question(self, request: web.Request) -> tuple[dict[str, Any], list[str]]:
        """What is asked, and the parts of the answer."""
        body = await request.json()
        text = body["messages"][-1]["content"]
        self._count(text)
        return body, [*WORDS, text]

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body, words = await self._question(request)
        answer = {"id": "c1", "created": 1, "model": body["model"]}
        if not body.get("stream"):
            await asyncio.sleep(PAUSE)
            message = {"role": "assistant", "content": "".join(words)}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            return web.json_response(answer | {"object": "chat.completion", "choices": [choice]})
        chunk = answer | {"object": "chat.completion.chunk"}
        parts = [chunk | {"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]} for word in words]
        parts.append(chunk | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        return await self._send(request, [*(f"data: {json.dumps(part)}\n\n" for part in parts), "data: [DONE]\n\n"])

    async def _converse(self, request: web.Request) -> web.StreamResponse:
        body, words = await self._question(request)
        message = {"id": "m1", "type": "message", "role": "assistant", "model": body["model"], "usage": USAGE}
        if not body.get("stream"):
            await asyncio.sleep(PAUSE)
            content = [{"type": "text", "text": "".join(words)}]
            return web.json_response(message | {"content": content, "stop_reason": "end_turn", "stop_sequence": None})
        block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        empty: dict[str, Any] = {"content": [], "stop_reason": None, "stop_sequence": None}
        parts = [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}} for word in words]
        end = {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": USAGE}
        events: list[dict[str, Any]] = [{"type": "message_start", "message": message | empty}, block, *parts]
        events += [{"type": "content_block_stop", "index": 0}, end, {"type": "message_stop"}]
        return await self._send(request, [f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in events])

    async def _send(self, request: web.Request, parts: list[str]) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        for part in parts:
            await asyncio.sleep(PAUSE)
            await answer.write(part.encode())
        return answer

    async def _put(self, request: web.Request) -> web.Response:
        key = request.match_info["key"]
        self._count(f"PUT {key}")
        self.objects[key] = await request.read()
        return web.Response(headers={"ETag": '"1"'})

    async def _get(self, request: web.Request) -> web.Response:
        key = request.match_info["key"]
        self._count(f"GET {key}")
        await asyncio.sleep(PAUSE)
        return web.Response(body=self.objects[key])

    async def _list(self, request: web.Request) -> web.Response:
        [prefix] = parse_qs(request.query_string).get("prefix", [""])
        keys = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in sorted(self.objects) if key.startswith(prefix))
        xml = f'<?xml version="1.0"?><ListBucketResult><Name>shop</Name><IsTruncated>false</IsTruncated>{keys}</ListBucketResult>'
        return web.Response(text=xml, content_type="application/xml")
