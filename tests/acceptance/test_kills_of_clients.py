"""Clients of models, of stores of objects, of pages and of sockets in programs that are killed at any moment."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.acceptance.library_servers import Servers
from tests.harness.chaos import Lives, kill_at_random
from tests.harness.killing import last_line
from tests.harness.processes import Desk
from tests.harness.services import Services

pytestmark = pytest.mark.slow


@pytest.fixture
def services(desk: Desk) -> Iterator[Services]:
    """Servers in the test's own process; their address is in the variable URL of all programs."""
    with Services() as services:
        desk.variables.update(
            URL=services.url,
            AWS_ACCESS_KEY_ID="none",
            AWS_SECRET_ACCESS_KEY="none",
            AWS_DEFAULT_REGION="eu-central-1",
            AWS_EC2_METADATA_DISABLED="true",
        )
        yield services


def killed(desk: Desk, name: str, *, span: float) -> tuple[Lives, str, list[str]]:
    """The lives of a program that prints as its last line the id of its run, and what it came to: these two, too."""
    native = desk.native(name)
    assert native.status == 0, native
    tries = (kill_at_random(desk, name, moments=random.Random(seed), kills=5, span=span) for seed in range(9))
    lives = next(lives for lives in tries if lives.kills)  # the last kills may have come when it was at its end
    run, *found = last_line(lives.result).split(" ", 1)
    native_run, *expected = last_line(native.out).split(" ", 1)
    assert [each.replace(run, "RUN") for each in found] == [each.replace(native_run, "RUN") for each in expected]
    return lives, run, found


def asked_again(asked: Counter[str], run: str) -> int:
    """How many requests of a run were made that had been made before."""
    return sum(count - 1 for what, count in asked.items() if run in what)


OPENAI = """
    # durable: on
    import asyncio, os, uuid
    from openai import AsyncOpenAI

    class Agent:
        def __init__(self, client):
            self.client, self.messages = client, []

        async def ask(self, question):
            self.messages.append({"role": "user", "content": question})
            answer = await self.client.chat.completions.create(model="m", messages=self.messages)
            self.messages.append(answer.choices[0].message)
            return answer.choices[0].message.content

        async def listen(self, question):
            self.messages.append({"role": "user", "content": question})
            text = ""
            stream = await self.client.chat.completions.create(model="m", messages=self.messages, stream=True)
            async for chunk in stream:
                text += chunk.choices[0].delta.content or ""
            self.messages.append({"role": "assistant", "content": text})
            return text

    async def talk(client, run, way):
        agent = Agent(client)
        for number in range(6):
            print(await agent.ask(f"{run} {way} {number}"), flush=True)
            print(await agent.listen(f"{run} {way} {number} again"), flush=True)
        return len(agent.messages)

    async def main():
        run = uuid.uuid4().hex
        bare = AsyncOpenAI(base_url=os.environ["URL"] + "/v1", api_key="x")
        count = await talk(bare, run, "bare")
        async with AsyncOpenAI(base_url=os.environ["URL"] + "/v1", api_key="x") as client:
            count += await talk(client, run, "block")
        last = [{"role": "user", "content": run}]
        async for chunk in await bare.chat.completions.create(model="m", messages=last, stream=True):
            count += len(chunk.choices[0].delta.content or "")
        print(run, count)

    asyncio.run(main())
"""

ANTHROPIC = """
    # durable: on
    import asyncio, os, uuid
    from anthropic import AsyncAnthropic

    class Agent:
        def __init__(self):
            self.client = AsyncAnthropic(base_url=os.environ["URL"], api_key="x")
            self.messages = []

        async def ask(self, question):
            self.messages.append({"role": "user", "content": question})
            answer = await self.client.messages.create(model="m", max_tokens=9, messages=self.messages)
            self.messages.append({"role": "assistant", "content": answer.content[0].text})
            return answer.content[0].text

        async def listen(self, question):
            self.messages.append({"role": "user", "content": question})
            words = []
            async with self.client.messages.stream(model="m", max_tokens=9, messages=self.messages) as stream:
                async for text in stream.text_stream:
                    words.append(text)
                final = await stream.get_final_message()
            self.messages.append({"role": "assistant", "content": final.content[0].text})
            return "".join(words)

        async def events(self, question):
            kinds = []
            messages = [{"role": "user", "content": question}]
            async for event in await self.client.messages.create(model="m", max_tokens=9, messages=messages, stream=True):
                kinds.append(event.type)
            return kinds

    async def main():
        run = uuid.uuid4().hex
        agent, kinds = Agent(), []
        for number in range(8):
            print(await agent.ask(f"{run} {number}"), flush=True)
            print(await agent.listen(f"{run} {number} again"), flush=True)
            kinds += await agent.events(f"{run} {number} as events")
        async with AsyncAnthropic(base_url=os.environ["URL"], api_key="x") as client:
            answer = await client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": f"{run} last"}])
        print(run, len(agent.messages), len(kinds), answer.content[0].text)

    asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("program", "span"), [pytest.param(OPENAI, 0.7, id="openai"), pytest.param(ANTHROPIC, 0.7, id="anthropic")]
)
def test_questions_to_models(desk: Desk, services: Services, program: str, span: float) -> None:
    """Plain or streamed, of a client in a block, bare or in an attribute: at most one question is asked again for each kill."""
    desk.write("agent.py", program)
    lives, run, _ = killed(desk, "agent.py", span=span)
    assert asked_again(services.asked, run) <= lives.kills


S3 = """
    # durable: on
    import asyncio, os, uuid
    from aiobotocore.session import get_session

    async def main():
        run, total = uuid.uuid4().hex, 0
        session = get_session()
        async with session.create_client("s3", endpoint_url=os.environ["URL"]) as client:
            for number in range(16):
                await client.put_object(Bucket="shop", Key=f"{run}-{number}", Body=b"%d" % number)
                answer = await client.get_object(Bucket="shop", Key=f"{run}-{number}")
                async with answer["Body"] as stream:
                    total += int(await stream.read())
                print(number, flush=True)
            listed = await client.list_objects_v2(Bucket="shop", Prefix=run)
            keys = [each["Key"] for each in listed["Contents"]]
            pages = [page async for page in client.get_paginator("list_objects_v2").paginate(Bucket="shop", Prefix=run)]
        print(run, total, len(keys), len(pages[0]["Contents"]))

    asyncio.run(main())
"""


def test_objects_of_a_bucket(desk: Desk, services: Services) -> None:
    """A client of aiobotocore, in a block: objects are written and read, one of them again for each kill."""
    desk.write("objects.py", S3)
    lives, run, _ = killed(desk, "objects.py", span=0.4)
    assert {key: int(value) for key, value in services.objects.items() if run in key} == {f"{run}-{n}": n for n in range(16)}
    assert asked_again(services.asked, run) <= lives.kills


SESSIONS = """
    # durable: on
    import asyncio, os, uuid
    import aiohttp, httpx

    class Crawler:
        def __init__(self, url):
            self.client = httpx.AsyncClient(base_url=url, headers={"a": "b"})
            self.session = aiohttp.ClientSession(url)
            self.limit = asyncio.Semaphore(4)
            self.found = {}

        async def fetch(self, name):
            async with self.limit:
                if name.endswith("0"):
                    response = await self.client.get(f"/page/{name}", params={"seconds": 0.02})
                    response.raise_for_status()
                    self.found[name] = response.text
                elif name.endswith("1"):
                    async with self.client.stream("GET", f"/stream/{name}", params={"count": 4}) as response:
                        self.found[name] = [line async for line in response.aiter_lines()]
                else:
                    async with self.session.get(f"/page/{name}", params={"seconds": 0.02}) as response:
                        self.found[name] = await response.text()

    async def main():
        run = uuid.uuid4().hex
        crawler = Crawler(os.environ["URL"])
        names = [f"{run}-{number}-{kind}" for number in range(30) for kind in range(3)]
        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(crawler.fetch(name))
        await crawler.client.aclose()
        await crawler.session.close()
        print(run, len(crawler.found), sorted(crawler.found) == sorted(names), crawler.found[f"{run}-7-1"])

    asyncio.run(main())
"""


def test_sessions_in_attributes(desk: Desk, services: Services) -> None:
    """httpx and aiohttp in ninety tasks, four at a time, one of three a stream."""
    desk.write("crawler.py", SESSIONS)
    lives, run, _ = killed(desk, "crawler.py", span=0.8)
    assert max(count for what, count in services.asked.items() if run in what) <= 1 + lives.kills


SOCKETS = """
    # durable: on
    import asyncio, os, uuid
    import websockets

    async def main():
        run, heard = uuid.uuid4().hex, []
        url = os.environ["URL"].replace("http", "ws") + "/echo"
        for number in range(12):
            async with websockets.connect(url, proxy=None) as socket:
                for part in range(3):
                    await socket.send(f"{run} {number} {part}")
                    heard.append(await socket.recv())
                    await asyncio.sleep(0.01)
        socket = await websockets.connect(url, proxy=None)
        await socket.send(f"{run} last")
        async for message in socket:
            heard.append(message)
            break
        await socket.close()
        print(run, heard)

    asyncio.run(main())
"""


def test_conversations(desk: Desk, services: Services) -> None:
    """One that is cut off is held again from its beginning, no other is."""
    desk.write("talk.py", SOCKETS)
    lives, run, _ = killed(desk, "talk.py", span=0.25)
    assert asked_again(services.asked, run) <= 3 * lives.kills


REDIS = """
    # durable: on
    import asyncio, os, uuid
    from redis.asyncio import Redis, from_url

    async def main():
        run = uuid.uuid4().hex
        bare = from_url(os.environ["REDIS"], decode_responses=True)
        async with Redis.from_url(os.environ["REDIS"]) as client:
            for number in range(12):
                await client.sadd(f"{run} set", number)
                async with client.pipeline(transaction=True) as pipe:
                    pipe.sadd(f"{run} first", number)
                    pipe.sadd(f"{run} second", number)
                    done = await pipe.execute()
                await bare.set(f"{run} last", number)
                await bare.xadd(f"{run} stream", {"n": number})
                print(number, flush=True)
            sizes = [await client.scard(f"{run} {name}") for name in ("set", "first", "second")]
        entries = await bare.xrange(f"{run} stream")
        numbers = sorted({int(entry["n"]) for _, entry in entries})
        last = await bare.get(f"{run} last")
        await bare.aclose()
        print(run, sizes, numbers, last, len(done))

    asyncio.run(main())
"""


def test_redis(desk: Desk) -> None:
    """Plain commands and pipelines of two clients: nothing is missing."""
    desk.write("store.py", REDIS)
    with Servers() as servers:
        desk.variables.update(servers.variables)
        killed(desk, "store.py", span=0.25)
