"""Blocks of responses around kills: each holds until its response has been read to its end, not until the block ends."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from textwrap import dedent, indent

import pytest

from tests.acceptance.library_servers import CHUNKS, Servers
from tests.harness.killing import last_line, lives
from tests.harness.pages import Pages
from tests.harness.processes import Desk

pytestmark = pytest.mark.slow


@pytest.fixture
def servers(desk: Desk) -> Iterator[Servers]:
    """Servers that speak as those of language models do."""
    with Servers() as servers:
        desk.variables.update(servers.variables)
        yield servers


HEAD = """
    # durable: on
    import asyncio, contextlib, json, os, urllib.request
    import aiohttp, httpx
    from world import effect

    URL = os.environ["URL"]

    @contextlib.asynccontextmanager
    async def fetched(name):
        async with httpx.AsyncClient(base_url=URL) as client, client.stream("GET", f"/page/{name}") as response:
            yield response

    @contextlib.asynccontextmanager
    async def fetched_by_aiohttp(name):
        async with aiohttp.ClientSession(URL) as client:
            async with client.get(f"/page/{name}") as response:
                yield response

    async def texts(name):
        async with aiohttp.ClientSession(URL) as client, client.get(f"/page/{name}") as response:
            yield await response.text()
"""
TAIL = """
    print(asyncio.run(main()))
"""


def program(body: str, head: str = HEAD) -> str:
    """A script whose ``main`` is this."""
    return dedent(head) + "async def main():\n" + indent(dedent(body).strip("\n"), "    ") + "\n" + dedent(TAIL)


def in_block(opening: str, block: str, reading: str) -> str:
    """A client, and for two pages a block whose response is read to its end, with two steps behind that inside of it."""
    read = indent(dedent(reading).strip("\n"), " " * 12)
    lines = [opening, "    found = []", '    for name in "ab":', f"        {block}:", read,
             '            await effect(f"first {name}")', '            await effect(f"second {name}")',
             '        await effect(f"after {name}")', "return found"]  # fmt: skip
    return program("\n".join(lines))


AIOHTTP = "async with aiohttp.ClientSession(URL) as client"
GET = 'async with client.get(f"/page/{name}") as response'
STREAM = 'async with client.stream("GET", f"/page/{name}") as response'
PAGES = {
    "aiohttp text": in_block(f"{AIOHTTP}:", GET, "found.append(await response.text())"),
    "aiohttp checked": in_block(
        f"{AIOHTTP}:", GET, "response.raise_for_status()\nfound.append((await response.read()).decode())"
    ),
    "aiohttp lines": in_block(
        f"{AIOHTTP}:", GET, "async for line in response.content:\n    found.append(line.decode())\n"
    ),
    "aiohttp request": in_block(
        "if True:", 'async with aiohttp.request("GET", f"{URL}/page/{name}") as response', "found.append(await response.text())"
    ),
    "aiohttp exit stack": in_block(
        f"{AIOHTTP}:", "async with contextlib.AsyncExitStack() as stack",
        'response = await stack.enter_async_context(client.get(f"/page/{name}"))\nfound.append(await response.text())',
    ),
    "httpx": in_block("async with httpx.AsyncClient(base_url=URL) as client:", STREAM,
                      "found.append((await response.aread()).decode())"),
    "httpx kept": in_block("async with httpx.AsyncClient(base_url=URL) as client:", STREAM,
                           'found.append("".join([part async for part in response.aiter_text()]))\nresponse.raise_for_status()'),
    "own manager of httpx": in_block("if True:", "async with fetched(name) as response",
                                     "found.append((await response.aread()).decode())"),
    "own manager of aiohttp": in_block("if True:", "async with fetched_by_aiohttp(name) as response",
                                       "found.append(await response.text())"),
    "own generator of aiohttp": in_block("if True:", "async for text in texts(name)", "found.append(text)"),
    "httpx exit stack": in_block(
        "async with httpx.AsyncClient(base_url=URL) as client:", "async with contextlib.AsyncExitStack() as stack",
        'response = await stack.enter_async_context(client.stream("GET", f"/page/{name}"))\n'
        "found.append((await response.aread()).decode())",
    ),
}  # fmt: skip
PLAIN = {
    "httpx": in_block("if True:", 'with httpx.stream("GET", f"{URL}/page/{name}") as response',
                           "found.append(response.read().decode())"),
    "urlopen": in_block("if True:", 'with urllib.request.urlopen(f"{URL}/page/{name}") as response',
                        "found.append(response.read().decode())"),
}  # fmt: skip


@pytest.mark.parametrize("text", PAGES.values(), ids=PAGES)
def test_response_that_was_read(desk: Desk, pages: Pages, text: str) -> None:
    """Killed in its block behind the read, a response is not asked for again, and no step that ended is made again."""
    done = lives(desk, {"read.py": text}, 1, 6)
    assert (done.status, last_line(done.out)) == (0, "['page a', 'page b']"), done
    assert pages.order == ["a", "b"]
    assert desk.effects == [
        "first a",  # killed
        *("first a", "second a", "after a", "first b", "second b"),  # killed
        *("second b", "after b"),
    ]


@pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN)
def test_response_in_a_plain_block(desk: Desk, pages: Pages, text: str) -> None:
    """So it is in a plain `with`, once a step has ended behind the read, which is no step itself."""
    done = lives(desk, {"read.py": text}, 2, 6)
    assert (done.status, last_line(done.out)) == (0, "['page a', 'page b']"), done
    assert pages.order == ["a", "b"]
    assert desk.effects == [
        *("first a", "second a"),  # killed
        *("second a", "after a", "first b", "second b"),  # killed
        *("second b", "after b"),
    ]


NEXT = """
    async with aiohttp.ClientSession(URL) as client:
        found = []
        async with client.get("/page/a") as response:
            found.append(await response.text())
            async with client.get("/page/b") as inner:
                found.append(await inner.text())
                await effect("both")
                async with httpx.AsyncClient(base_url=URL) as other, other.stream("GET", "/page/c") as last:
                    found.append((await last.aread()).decode())
                    await effect("all")
        await effect("after")
    return found
"""


def test_block_goes_on_with_the_next_request(desk: Desk, pages: Pages) -> None:
    """Before the next request leaves, inside of the block of a response that was read, the state is committed."""
    done = lives(desk, {"next.py": program(NEXT)}, 1, 3)
    assert last_line(done.out) == "['page a', 'page b', 'page c']", done
    assert pages.order == ["a", "b", "c"]


KEPT = """
    found = []
    async with httpx.AsyncClient(base_url=URL) as client:
        async with client.stream("GET", "/page/a") as response:
            await response.aread()
            await effect("first")
            await effect("second")
            found.append((response.text, response.status_code, response.is_closed))
    return found
"""


def test_response_that_is_right_when_it_was_read(desk: Desk, pages: Pages) -> None:
    """A response of httpx that was read is saved with what was read, also while its block is open."""
    done = lives(desk, {"kept.py": program(KEPT)}, 1, 3)
    assert last_line(done.out) == "[('page a', 200, True)]", done
    assert pages.order == ["a"]
    assert desk.effects == ["first", "first", "second", "second"]


LOCATED = """
    async with aiohttp.ClientSession(URL) as client:
        found = []
        async with client.get("/page/a") as response:
            found.append(await response.text())
            await effect("first")
            async with client.get(f"/page/{len(response.headers['Content-Type'])}?seconds=0.3") as inner:
                found.append(await inner.text())
                await effect("second")
    return found
"""


def test_next_request_says_what_the_last_one_gave(desk: Desk, pages: Pages) -> None:
    """If entering the next block would have to read the response again, that holds until it is entered."""
    desk.write("located.py", program(LOCATED))
    running = desk.start("located.py")
    running.wait_until(lambda: pages.asked["25"] == 1)
    running.stop()
    done = lives(desk, {"located.py": program(LOCATED)}, 3)
    assert last_line(done.out) == "['page a', 'page 25']", done
    assert pages.order == ["a", "25"] * 2
    assert desk.effects == ["first", "first", "second", "second"]


HELD = {
    "read in part": (
        "async for line in response.content:\n    found.append(line.decode().strip())\n    break\n",
        "/stream/{name}",
    ),
    "not read": ("found.append(response.status)", "/page/{name}"),
    "looked at later": ("found.append(await response.text())", "/page/{name}"),
}
HELD_BLOCK = """
    found = []
    async with aiohttp.ClientSession(URL) as client:
        name = "a"
        async with client.get(f"PATH") as response:
            READING
            await effect("first")
            await effect("second")
            found.append(response.status)
    return found
"""


@pytest.mark.parametrize(("reading", "path"), HELD.values(), ids=HELD)
def test_response_that_can_still_be_read(desk: Desk, pages: Pages, reading: str, path: str) -> None:
    """A response that was not read to its end, or that the code goes on to look at, holds as before."""
    text = HELD_BLOCK.replace("PATH", path).replace("READING", indent(reading, " " * 12).strip())
    done = lives(desk, {"held.py": program(text)}, 2)
    assert (done.status, last_line(done.out)[-4:]) == (0, "200]"), done
    assert pages.order == ["a", "a"]
    assert desk.effects == ["first", "second"] * 2


FAILING = """
    found = []
    async with aiohttp.ClientSession(URL) as client:
        for name in "ab":
            try:
                async with client.get(f"/page/{name}") as response:
                    text = await response.text()
                    await effect(f"in {name}")
                    if name == "b":
                        found.append(text)
                        continue
                    raise LookupError(text)
            except LookupError as error:
                found.append(repr(error))
            finally:
                await effect(f"out {name}")
    return found
"""


def test_exception_in_a_block_that_was_resumed(desk: Desk, pages: Pages) -> None:
    """After a resume an exception leaves the block as it is, and so does a jump."""
    done = lives(desk, {"failing.py": program(FAILING)}, 1, 3, 4, 6)
    assert last_line(done.out) == "[\"LookupError('page a')\", 'page b']", done
    assert pages.order == ["a", "b"]
    assert desk.effects == [*["in a"] * 2, *["out a"] * 3, *["in b"] * 2, "out b"]


SDK_HEAD = """
    # durable: on
    import asyncio, os
    import anthropic, openai
    from world import effect

    HTTP, ASKED = os.environ["HTTP"], [{"role": "user", "content": "x"}]
"""
OPENAI = "openai.AsyncOpenAI(base_url=HTTP, api_key=None, max_retries=0)"
ANTHROPIC = "anthropic.AsyncAnthropic(base_url=HTTP, api_key=None, max_retries=0)"
SDKS = {
    "anthropic stream": (ANTHROPIC, 'client.messages.stream(max_tokens=9, model="m", messages=ASKED)',
                         "said = [text async for text in stream.text_stream]"),
    "anthropic final": (ANTHROPIC, 'client.messages.stream(max_tokens=9, model="m", messages=ASKED)',
                        "said = [block.text for block in (await stream.get_final_message()).content]"),
    "anthropic create": (ANTHROPIC, 'await client.messages.create(max_tokens=9, model="m", messages=ASKED, stream=True)',
                         'said = [e.delta.text async for e in stream if e.type == "content_block_delta"]'),
    "openai create": (OPENAI, 'await client.chat.completions.create(model="m", messages=ASKED, stream=True)',
                      "said = [chunk.choices[0].delta.content async for chunk in stream]"),
    "openai stream": (OPENAI, 'client.chat.completions.stream(model="m", messages=ASKED)',
                      'said = [event.delta async for event in stream if event.type == "content.delta"]'),
    "openai response": (OPENAI, "client.chat.completions.with_streaming_response.create("
                        'model="m", messages=ASKED, stream=True)',
                        'said = [str(len([line async for line in stream.iter_lines() if "content" in line]))]'),
}  # fmt: skip
AGENT = """
    client, found = CLIENT, []
    for number in range(2):
        async with CALL as stream:
            READING
            found.append("".join(said))
            await effect(f"first {number}")
            await effect(f"second {number}")
    return found
"""


@pytest.mark.parametrize(("client", "call", "reading"), SDKS.values(), ids=SDKS)
def test_streams_of_models(desk: Desk, servers: Servers, client: str, call: str, reading: str) -> None:
    """A model's answer that was read in its block is not asked for again, and the tools called there are not called again."""
    text = AGENT.replace("CLIENT", client).replace("CALL", call).replace("READING", reading)
    done = lives(desk, {"agent.py": program(text, SDK_HEAD)}, 1, 5)
    said = str(len(CHUNKS)) if "with_streaming_response" in call else "".join(CHUNKS)
    assert (done.status, last_line(done.out)) == (0, str([said] * 2)), done
    assert servers.asked.total() == 2, servers.asked
    assert desk.effects == ["first 0", "first 0", "second 0", "first 1", "second 1", "second 1"]


WAITING = """
    found = []
    async with aiohttp.ClientSession(URL) as client:
        async with client.get("/page/a") as response:
            found.append(await response.text())
            await effect("read")
            while not os.path.exists("go"):
                await asyncio.sleep(0.02)
        async with client.get("/page/b") as response:
            found.append(await response.text())
    return found
"""


def test_suspended_in_its_block(desk: Desk, pages: Pages) -> None:
    """Suspended in such a block, a program goes on in it, and nothing was held."""
    desk.write("waiting.py", program(WAITING))
    running = desk.start("waiting.py")
    running.wait_until(lambda: desk.effects == ["read"])
    running.send(signal.SIGTERM)
    ended = running.end()
    assert (ended.status, ended.err) == (128 + signal.SIGTERM, ""), ended
    assert "held" not in ended.said
    (desk.folder / "go").touch()
    done = desk.run("waiting.py")
    assert (done.status, last_line(done.out), done.err) == (0, "['page a', 'page b']", ""), done
    assert pages.order == ["a", "b"]
