"""Responses that are asked whether they have been read to their end, and what stands for their blocks in a snapshot."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import io
import pickle
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import anthropic
import httpx
import httpx2
import openai
import pytest

from durable_import.holds.in_use import first_true, in_use, is_known_to_hold, spent_questions
from durable_import.holds.spent import SpentExit, exit_if_spent
from durable_import.snapshot.pickler import dumps
from durable_import.snapshot.references import References
from durable_import.snapshot.unpickler import loads
from tests.acceptance.library_servers import Servers

ASKED: Any = [{"role": "user", "content": "x"}]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Of a server that answers GET with text, and POST as those of language models do."""
    with Servers() as servers:
        yield servers.variables["HTTP"]


def is_spent(manager: Any) -> bool:
    """Whether an open block of this manager holds no more."""
    return bool(first_true(manager, spent_questions(manager)))


async def streams(url: str) -> AsyncIterator[tuple[Any, Any]]:
    """Managers of libraries, and for each a function that reads to the end what entering it gives."""
    speaking: Any = openai.AsyncOpenAI(base_url=url, api_key="a")
    writing: Any = anthropic.AsyncAnthropic(base_url=url, api_key="a")

    async def read_all(stream: Any) -> None:
        async for _ in stream:
            pass

    async with aiohttp.ClientSession() as session, httpx.AsyncClient() as client, httpx2.AsyncClient() as client2:
        yield session.get(url), lambda response: response.read()
        yield session.get(url), lambda response: read_all(response.content)
        yield aiohttp.request("GET", url), lambda response: response.text()
        yield client.stream("GET", url), lambda response: response.aread()
        yield client.stream("GET", url), lambda response: read_all(response.aiter_lines())
        yield client2.stream("GET", url), lambda response: response.aread()
        yield await speaking.chat.completions.create(model="m", messages=ASKED, stream=True), read_all
        yield speaking.chat.completions.stream(model="m", messages=ASKED), read_all
        asking = speaking.chat.completions.with_streaming_response.create
        yield asking(model="m", messages=ASKED, stream=True), lambda response: read_all(response.iter_lines())
        yield await writing.messages.create(model="m", max_tokens=1, messages=ASKED, stream=True), read_all
        yield writing.messages.stream(model="m", max_tokens=1, messages=ASKED), lambda stream: stream.get_final_message()
        yield writing.beta.messages.stream(model="m", max_tokens=1, messages=ASKED), read_all


async def test_libraries_answer(url: str) -> None:
    """Each manager says that its response has been read when it has been, and not before; leaving it then does nothing."""
    async for manager, read in streams(url):
        kind = type(manager).__qualname__
        async with contextlib.AsyncExitStack() as stack:
            given = await stack.enter_async_context(manager)
            if not type(manager).__module__.startswith("aiohttp."):
                assert not is_spent(manager), kind  # a short response of aiohttp is there as a whole, and its connection free
            await read(given)
            assert is_spent(manager), kind
            assert exit_if_spent(manager, "__aexit__") is not None, kind


def test_libraries_answer_in_plain_blocks(url: str) -> None:
    """So do managers of plain blocks."""
    speaking: Any = openai.OpenAI(base_url=url, api_key="a")
    writing: Any = anthropic.Anthropic(base_url=url, api_key="a")
    managers = [
        httpx.stream("GET", url), httpx.Client().stream("GET", url), httpx2.stream("GET", url),
        speaking.chat.completions.create(model="m", messages=ASKED, stream=True),
        speaking.chat.completions.stream(model="m", messages=ASKED),
        writing.messages.stream(model="m", max_tokens=1, messages=ASKED),
    ]  # fmt: skip
    for manager in managers:
        with manager as response:
            assert not is_spent(manager), manager
            for _ in response.iter_lines() if hasattr(response, "iter_lines") else response:
                pass
            assert is_spent(manager), manager


def test_response_of_the_standard_library() -> None:
    """One of http.client has been read when nothing is left of it."""

    class Socket:
        def makefile(self, _: str) -> io.BytesIO:
            return io.BytesIO(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab")

    response = http.client.HTTPResponse(Socket())  # type: ignore[arg-type]
    response.begin()
    assert (response.read(1), is_spent(response), in_use(response)) == (b"a", False, "it has not been read to its end")
    assert (response.read(), is_spent(response), in_use(response)) == (b"b", True, "")


async def test_unread_response_cannot_be_saved() -> None:
    """A response of httpx is copied without its stream: so it is refused until it has been read."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"ab"

    for kind in (httpx.Response, httpx2.Response):
        response: Any = kind(200, content=parts())
        with pytest.raises(pickle.PicklingError, match="not been read to its end"):
            dumps(response, References())
        await response.aread()
        assert loads(dumps(response, References())).content == b"ab"


async def test_exit_stack_of_what_was_read(url: str) -> None:
    """An exit stack is saved once the responses that it has opened were read; restored, it leaves the exceptions alone."""
    async with httpx.AsyncClient() as client, contextlib.AsyncExitStack() as stack:
        response = await stack.enter_async_context(client.stream("GET", url))
        with pytest.raises(pickle.PicklingError):
            dumps(stack, References())
        await response.aread()
        restored: contextlib.AsyncExitStack[bool | None] = loads(dumps(stack, References()))
    with pytest.raises(LookupError, match="it is raised"):
        async with restored:
            raise LookupError("it is raised")


async def test_manager_that_was_not_entered(url: str) -> None:
    """What `client.stream` gives is the call that made it until it is entered."""
    client = httpx.AsyncClient()
    manager: Any = client.stream("GET", url)
    assert not is_spent(manager)
    async with client, manager as response:
        assert is_known_to_hold(manager.gen)
        assert not is_known_to_hold(response)
    assert not is_known_to_hold(manager.gen)


async def test_exit_of_a_spent_block() -> None:
    """It gives nothing, awaited or not, and is saved by what it is."""
    plain, waited = loads(dumps([SpentExit(False), SpentExit(True)], References()))
    assert plain(None, None, None) is None
    leaving = waited(ValueError, ValueError(), None)
    assert asyncio.iscoroutine(leaving)
    assert await leaving is None
