# durable: on
"""Plain functions run in threads, several at a time, with arguments, contexts and errors."""
import asyncio
import contextvars
import functools
import hashlib
import time

from world import effect

salt = contextvars.ContextVar("salt", default="none")


def digest(text, *, rounds=1):
    data = text.encode()
    for _ in range(rounds):
        data = hashlib.sha256(data).digest()
    return data.hex()[:8]


def slow_square(n):
    time.sleep(0.02)
    return n * n


def salted(text):
    return f"{salt.get()}-{text}"


def refuse(reason):
    raise PermissionError(reason)


async def hash_all(texts):
    return await asyncio.gather(*(asyncio.to_thread(digest, text, rounds=2) for text in texts))


async def with_salt(value, text):
    salt.set(value)
    await effect(f"use salt {value}")
    return await asyncio.to_thread(salted, text)


async def main():
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        hashes = group.create_task(hash_all(["a", "b", "c"]))
        squares = [group.create_task(asyncio.to_thread(slow_square, n)) for n in range(4)]
        salts = [group.create_task(with_salt(s, "soup")) for s in ("sea", "rock")]

    errors = []
    outcomes = await asyncio.gather(
        asyncio.to_thread(refuse, "first"),
        loop.run_in_executor(None, refuse, "second"),
        asyncio.to_thread(len, "third"),
        return_exceptions=True,
    )
    for outcome in outcomes:
        errors.append(repr(outcome))

    in_executor = await loop.run_in_executor(None, functools.partial(digest, "a", rounds=2))
    squared = await loop.run_in_executor(None, slow_square, 12)
    other = await effect("afterwards", "afterwards")
    in_time = await asyncio.wait_for(asyncio.to_thread(slow_square, 5), 30)
    return (
        hashes.result(),
        [t.result() for t in squares],
        [t.result() for t in salts],
        errors,
        in_executor == hashes.result()[0],
        other,
        squared,
        in_time,
        salt.get(),
    )


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
