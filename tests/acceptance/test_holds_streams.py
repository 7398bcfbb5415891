"""Streams and responses around kills: while one can still be read nothing is saved, and as soon as it cannot, all is."""

from __future__ import annotations

import pytest

from tests.harness.killing import killed_at, last_line, lives
from tests.harness.pages import Pages
from tests.harness.processes import KILLED, Desk

pytestmark = pytest.mark.slow


# a library as those of language models are: its stream has what cannot be saved, such as a socket
SDK = """
    import asyncio, socket

    class Stream:
        def __init__(self, words):
            self._words, self._socket = iter(words), socket.socket()
        def __aiter__(self):
            return self
        async def __anext__(self):
            await asyncio.sleep(0.01)
            for word in self._words:
                return word
            self._socket.close()
            raise StopAsyncIteration

    class Client:
        async def create(self, *, prompt, stream=False):
            from world import effect
            await effect(f"ask {prompt}")
            words = [f"{prompt}{number}" for number in range(4)]
            return Stream(words) if stream else " ".join(words)
"""
SDK_PLACE = "site-packages/sdk.py"

AGENT = """
    # durable: on
    import asyncio, os, sys
    sys.path.insert(0, os.path.abspath("site-packages"))
    import sdk
    from world import effect

    async def main():
        client = sdk.Client()
        said = []
        for prompt in ("a", "b"):
            words = []
            async for word in await client.create(prompt=prompt, stream=True):
                words.append(word)
                if word.endswith("2"):
                    await effect(f"read {word}")
            said.append(words)
            await effect(f"after {prompt}")
        said.append(await client.create(prompt="c"))
        return said

    print(asyncio.run(main()))
"""


def test_stream_of_a_library(desk: Desk) -> None:
    """A half read stream is asked for again as a whole; after its end nothing of it runs again."""
    files = {"agent.py": AGENT, SDK_PLACE: SDK}
    killed_at(desk, files, 1, 2, 3, (2, 4, 6))
    logs = {place: (desk.folder / f"killed_{place}" / "effects").read_text().splitlines() for place in (2, 3)}
    whole = (desk.folder / "native" / "effects").read_text().splitlines()
    assert logs[2] == [*whole[:2], *whole]
    assert logs[3] == [*whole[:3], *whole[2:]]


def test_stream_in_a_variable_holds_while_it_is_read(desk: Desk) -> None:
    """A stream that a variable has got holds until no path reads it: a dead one does not."""
    program = """
        # durable: on
        import asyncio, os, sys
        sys.path.insert(0, os.path.abspath("site-packages"))
        import sdk
        from world import effect

        async def main():
            client = sdk.Client()
            stream = await client.create(prompt="a", stream=True)
            words = [word async for word in stream]
            await effect("dead")
            await effect("dead still")
            stream = await client.create(prompt="b", stream=True)
            words += [word async for word in stream]
            await effect("held, for it is deleted")
            del stream
            await effect("deleted")
            return words

        print(asyncio.run(main()))
        """
    done = lives(desk, {"dead.py": program, SDK_PLACE: SDK}, 3, 6, 8)
    assert (done.status, last_line(done.out)) == (0, str([f"{p}{n}" for p in "ab" for n in range(4)])), done
    assert desk.effects == [
        *("ask a", "dead", "dead still"),  # killed
        *("dead still", "ask b", "held, for it is deleted"),  # killed
        *("ask b", "held, for it is deleted"),  # killed
        *("ask b", "held, for it is deleted", "deleted"),
    ]


def test_function_that_calls_locals(desk: Desk) -> None:
    """In a function that calls `locals` each variable can still be read."""
    program = """
        # durable: on
        import asyncio, os, sys
        sys.path.insert(0, os.path.abspath("site-packages"))
        import sdk
        from world import effect

        async def main():
            stream = await sdk.Client().create(prompt="a", stream=True)
            words = [word async for word in stream]
            await effect("held")
            await effect("held still")
            return words, sorted(locals()), type(locals()["stream"]).__name__

        print(asyncio.run(main()))
        """
    done = lives(desk, {"names.py": program, SDK_PLACE: SDK}, 3)
    assert last_line(done.out) == "(['a0', 'a1', 'a2', 'a3'], ['stream', 'words'], 'Stream')", done
    assert desk.effects == ["ask a", "held", "held still"] * 2


AIOHTTP = """
    # durable: on
    import asyncio, os
    import aiohttp
    from world import effect

    async def main():
        lines = []
        async with aiohttp.ClientSession(os.environ["URL"]) as session:
            for name in ("a", "b"):
                async with session.get(f"/stream/{name}") as response:
                    async for line in response.content:
                        lines.append(line.decode().strip())
                        if lines[-1].endswith("1"):
                            await effect(f"read {lines[-1]}")
                await effect(f"after {name}")
            async with session.get("/page/c") as response:
                lines.append(await response.text())
            await effect("last")
        return lines

    print(asyncio.run(main()))
"""


@pytest.mark.parametrize("program", [pytest.param(AIOHTTP, id="aiohttp")])
def test_streamed_responses(desk: Desk, pages: Pages, program: str) -> None:
    """A response that is cut off is asked for again, one that has been read is not."""
    killed_at(desk, {"read.py": program}, 1, 2, (3, 5, 7))
    # natively 1; killed while a is read, after it, while b is read, after it, and at the end
    assert (pages.asked["a"], pages.asked["b"], pages.asked["c"]) == (4 + 1, 4 + 1, 4), pages.asked


def test_loop_of_requests_inside_a_block(desk: Desk, pages: Pages) -> None:
    """In `async with session.get(...)` whose response has been read the next step finds all saved."""
    program = """
        # durable: on
        import asyncio, os
        import aiohttp
        from world import effect

        async def main():
            found = []
            async with aiohttp.ClientSession(os.environ["URL"]) as session:
                for name in "abc":
                    async with session.get(f"/page/{name}") as response:
                        found.append(await response.text())
                    await effect(f"got {name}")
            return found

        print(asyncio.run(main()))
        """
    done = lives(desk, {"loop.py": program}, 1, 3, 5)
    assert last_line(done.out) == "['page a', 'page b', 'page c']", done
    assert pages.order == ["a", "b", "c"]


WEBSOCKETS = """
    # durable: on
    import asyncio, os
    import websockets
    from world import effect

    async def main():
        answers = []
        url = os.environ["URL"].replace("http", "ws") + "/echo"
        for begin in (1, 3):
            async with websockets.connect(url, proxy=None) as socket:
                for number in (begin, begin + 1):
                    await socket.send(f"say {number}")
                    answers.append(await socket.recv())
                    await effect(f"heard {number}")
            await effect(f"after {begin}")
        return answers

    print(asyncio.run(main()))
"""


@pytest.mark.slow
def test_websocket(desk: Desk, pages: Pages) -> None:
    """A conversation is held from its opening to its end, as what the other side knows cannot be brought back."""
    killed_at(desk, {"talk.py": WEBSOCKETS}, 2, 3, (4, 7))
    assert pages.asked["echo say 1"] == 5, (
        pages.asked
    )  # natively; twice where it was killed inside; once where it was killed after it


CURSOR = """
    # durable: on
    import asyncio, aiosqlite
    from world import effect

    async def main():
        rows = []
        async with aiosqlite.connect("rows.db") as db:
            await db.execute("create table t (n integer)")
            await db.executemany("insert into t values (?)", [(n,) for n in range(3)])
            await db.commit()
            await effect("filled")
            async with db.execute("select n from t order by n") as cursor:
                async for (n,) in cursor:
                    rows.append(n)
                    await effect(f"row {n}")
            await effect("after")
            cursor = await db.execute("select count(*) from t")
            await effect("counted")
            rows.append((await cursor.fetchone())[0])
            await cursor.close()
            await effect("closed")
        return rows

    print(asyncio.run(main()))
"""

PROCESS = """
    # durable: on
    import asyncio
    from world import effect

    async def main():
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec("sh", "-c", "echo hello; sleep 0.05; echo bye", stdout=pipe)
        line = await process.stdout.readline()
        await effect("line")
        rest = await process.stdout.read()
        await effect("rest")
        status = await process.wait()
        await effect("ended")
        return line, rest, status

    print(asyncio.run(main()))
"""

SQLALCHEMY = """
    # durable: on
    import asyncio
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine
    from world import effect

    async def main():
        engine = create_async_engine("sqlite+aiosqlite:///rows.db")
        async with engine.connect() as db:
            await db.execute(text("create table t (n integer)"))
            await db.execute(text("insert into t values (0), (1), (2)"))
            await db.commit()
            await effect("filled")
            rows = []
            async with db.stream(text("select n from t order by n")) as result:
                async for row in result:
                    rows.append(row.n)
                    await effect(f"row {row.n}")
            await effect("read")
        await engine.dispose()
        return rows

    print(asyncio.run(main()))
"""


@pytest.mark.parametrize(
    ("program", "places"),
    [
        pytest.param(CURSOR, (3, (5, 7)), id="cursor"),
        pytest.param(PROCESS, (1, 2, 3), id="process", marks=pytest.mark.slow),
        pytest.param(SQLALCHEMY, (3, 5), id="sqlalchemy", marks=pytest.mark.slow),
    ],
)
def test_rows_and_lines(desk: Desk, program: str, places: tuple[int, ...]) -> None:
    """A cursor that is half read, and a process that still writes, are begun again as a whole."""
    killed_at(desk, {"read.py": program}, *places)


@pytest.mark.slow
def test_crawler(desk: Desk, pages: Pages) -> None:
    """Twenty tasks whose responses hold, killed three times: each page is there, and few are asked for again."""
    program = """
        # durable: on
        import asyncio, os
        import aiohttp

        async def crawl(session, numbers, found):
            for number in numbers:
                async with session.get(f"/page/{number}?seconds=0.05") as response:
                    found[number] = await response.text()
                print("got", flush=True)

        async def main():
            numbers, found = iter(range(400)), {}
            async with aiohttp.ClientSession(os.environ["URL"]) as session:
                async with asyncio.TaskGroup() as group:
                    for _ in range(20):
                        group.create_task(crawl(session, numbers, found))
            return len(found), all(found[number] == f"page {number}" for number in found)

        print(asyncio.run(main()))
        """
    desk.write("crawler.py", program)
    for kill in range(1, 4):
        running = desk.start("crawler.py")
        running.wait_until(lambda: sum(pages.asked.values()) >= kill * 100)  # noqa: B023
        running.stop()
        assert running.process.returncode == KILLED
    done = desk.run("crawler.py")
    assert (done.status, last_line(done.out)) == (0, "(400, True)"), done
    assert sum(pages.asked.values()) <= 400 + 3 * 60, sum(pages.asked.values())
