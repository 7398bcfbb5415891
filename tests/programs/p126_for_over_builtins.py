# durable: on
"""For loops over each built-in container await in their bodies, with break, continue and else."""
import asyncio

from world import effect


async def walk(name, source, log):
    for item in source:
        if item in (2, "b", 98):
            continue
        log.append((name, await effect(f"{name} {item}", item)))
        if item == "stop":
            break
    else:
        log.append((name, "else"))


async def main():
    log = []
    await walk("list", [1, 2, 3], log)
    await walk("tuple", ("a", "b", "stop", "never"), log)
    await walk("str", "abc", log)
    await walk("bytes", b"ab", log)
    await walk("dict", {"k": 1, "b": 2}, log)
    await walk("range", range(3, 0, -1), log)
    await walk("reversed", reversed([1, 2, 3]), log)
    return log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
