# durable: on
"""What the program changes in its process: the current folder, environment variables, the generator of `random`."""
import asyncio
import os
import random
import tempfile

from world import effect


async def main():
    start, out = os.getcwd(), []
    random.seed(7)
    os.environ["PROGRAM_MODE"] = "first"
    os.environ.pop("PROGRAM_OTHER", None)
    os.chdir(tempfile.gettempdir())
    for turn in range(3):
        number = random.randint(1, 1000)
        await effect(f"turn {turn}")
        inside = os.path.samefile(os.getcwd(), tempfile.gettempdir())
        out.append((number, random.random(), inside, os.environ["PROGRAM_MODE"]))
        os.environ["PROGRAM_MODE"] += "."
    os.chdir(start)
    await effect("back")
    del os.environ["PROGRAM_MODE"]
    await effect("unset")
    return out, random.sample(range(100), 3), os.getcwd() == start, "PROGRAM_MODE" in os.environ


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
