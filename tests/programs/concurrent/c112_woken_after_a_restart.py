# durable: on
"""Code that ran before a task was woken does not run again, also when that task waited since an earlier process."""
import asyncio
from pathlib import Path

from world import effect

BOOK = Path("written by c112")


async def writer(name, done):
    await effect(f"prepare {name}")
    with BOOK.open("a") as book:
        book.write(f"{name}\n")
    done.set_result(name)


async def waiter(done):
    name = await done
    await effect(f"seen {name}")
    return name


async def main():
    BOOK.unlink(missing_ok=True)
    loop = asyncio.get_running_loop()
    seen = []
    for name in "ab":
        done = loop.create_future()
        waiting = asyncio.create_task(waiter(done))
        await effect(f"wait for {name}")
        await effect(f"still wait for {name}")  # now it is saved as waiting
        await asyncio.gather(writer(name, done), waiting)
        seen.append(waiting.result())
    return seen, BOOK.read_text().split()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
