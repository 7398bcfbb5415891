# durable: on
"""A list that grows, shrinks and is replaced while a loop with awaits walks over it."""
import asyncio

from world import effect


async def main():
    todo = [1, 2, 3]
    seen = []
    for n in todo:
        seen.append(n)
        got = await effect(f"see {n}", n * 2)
        if got < 9:
            todo.append(got)
        if n == 2:
            todo.remove(2)
    second = []
    it = iter(todo)
    second.append(next(it))
    await effect("hold")
    todo.insert(0, "front")
    second.append(next(it))
    del todo[3:]
    await effect("cut")
    second.extend(it)
    todo.append("late")
    after_end = next(it, "exhausted")
    await effect("rest")
    for x in todo[:]:
        todo.pop()
        await effect(f"pop {x}")
    return seen, second, after_end, todo


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
