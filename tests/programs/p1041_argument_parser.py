# durable: on
"""An argument parser and its namespace stay in variables of main during awaits."""
import argparse
import asyncio

from world import effect


async def main():
    parser = argparse.ArgumentParser(prog="tool")
    parser.add_argument("--count", type=int, default=2)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args(["a", "b", "--count", "3"])
    await effect("parsed")
    out = []
    for name in arguments.names:
        out.append(await effect(name, name * arguments.count))
    return out, vars(arguments), parser.prog, parser.parse_args([]).count


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
