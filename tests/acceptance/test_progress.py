"""Progress bars of tqdm and rich: they hold nothing, and go on where they were."""

from __future__ import annotations

import pytest

from tests.acceptance.test_holds_sqlite_local import STEPS
from tests.harness.processes import KILLED, Desk

LOOP = """
    # durable: on
    import asyncio
    from tqdm import tqdm, trange
    from steps import place

    async def main():
        seen = []
        bar = tqdm(["a", "b", "c", "d"], desc="letters", disable=False)
        for letter in bar:
            await place(len(seen))
            seen.append(letter)
            bar.set_postfix(last=letter)
        for n in trange(3, disable=False):
            await place(4 + n)
            seen.append(n)
        print(seen, bar.n, bar.total, bar.desc, bar.postfix)

    asyncio.run(main())
"""

UPDATED = """
    # durable: on
    import asyncio
    from tqdm.auto import tqdm
    from steps import place

    async def main():
        counts = []
        with tqdm(total=7, disable=False) as bar:
            for n in range(7):
                await place(n)
                bar.update(1)
                counts.append(bar.n)
        print(counts, bar.n, bar.total)

    asyncio.run(main())
"""

GATHERED = """
    # durable: on
    import asyncio
    from tqdm.asyncio import tqdm
    from steps import place

    async def double(n):
        await place(n)
        await asyncio.sleep(0.01 * n)
        return 2 * n

    async def letters():
        for letter in "abc":
            await asyncio.sleep(0)
            yield letter

    async def main():
        doubled = await tqdm.gather(*(double(n) for n in range(3)), disable=False)
        found = []
        for each in tqdm.as_completed([double(n) for n in (3, 4)], disable=False):
            found.append(await each)
        seen = []
        async for letter in tqdm(letters(), disable=False):
            await place(5)
            seen.append(letter)
        async for n in tqdm([1, 2, 3], disable=False):
            await place(6)
            seen.append(n)
        print(doubled, sorted(found), seen)

    asyncio.run(main())
"""

RICH = """
    # durable: on
    import asyncio
    from rich.console import Console
    from rich.progress import Progress, track
    from steps import place

    async def main():
        seen = []
        for n in track([1, 2, 3], description="numbers", console=Console(stderr=True)):
            await place(n)
            seen.append(n)
        with Progress(console=Console(stderr=True)) as progress:
            first, second = progress.add_task("first", total=4), progress.add_task("second", total=2)
            for n in range(4):
                await place(3 + n)
                progress.update(first, advance=1)
            progress.advance(second)
            await place(0)
            for n in progress.track([4, 5]):
                await place(6)
                seen.append(n)
            print(seen, [(task.description, task.completed, task.total) for task in progress.tasks])

    asyncio.run(main())
"""

SAID = {
    "loop": (LOOP, "['a', 'b', 'c', 'd', 0, 1, 2] 4 4 letters last=d\n"),
    "updated": (UPDATED, "[1, 2, 3, 4, 5, 6, 7] 7 7\n"),
    "gathered": (GATHERED, "[0, 2, 4] [6, 8] ['a', 'b', 'c', 1, 2, 3]\n"),
    "rich": (RICH, "[1, 2, 3, 4, 5] [('first', 4, 4), ('second', 1, 2), ('Working...', 2, 2.0)]\n"),
}


def killed(desk: Desk, program: str, *places: int) -> None:
    """Kill a program at places, one after another: nothing is lost or repeated, and nothing has held it."""
    text, said = SAID[program]
    desk.write("steps.py", STEPS)
    desk.write("main.py", text)
    for place in places:
        ended = desk.start("main.py", variables={"KILL": str(place)}).end()
        assert ended.status == KILLED, ended
        assert "held since" not in ended.said, ended
    done = desk.start("main.py").end()
    assert (done.status, done.out) == (0, said), done
    assert "held since" not in done.said, done


@pytest.mark.parametrize(("program", "places"), [("loop", (2, 5)), ("updated", (3,)), ("gathered", (1, 4))])
def test_a_bar_goes_on(desk: Desk, program: str, places: tuple[int, ...]) -> None:
    """It goes on at n of its total, no item is lost or repeated, and the program is not held."""
    killed(desk, program, *places)


@pytest.mark.slow
@pytest.mark.parametrize("place", range(7))
@pytest.mark.parametrize("program", SAID)
def test_a_bar_goes_on_anywhere(desk: Desk, program: str, place: int) -> None:
    """So it does from each place."""
    killed(desk, program, place)
