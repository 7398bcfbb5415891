# durable: on
"""Standard streams, the environment, the running loop and sys are kept in variables as process-wide objects."""
import asyncio
import os
import sys

from world import effect


class Printer:
    def __init__(self, stream=sys.stderr):
        self.stream = stream
        self.lines = 0

    def line(self, text):
        self.lines += 1
        print(text, end="", file=self.stream)


async def main():
    out, environment, modules = sys.stdout, os.environ, sys.modules
    printer = Printer()
    printer.line("")
    await effect("streams")
    loop = asyncio.get_running_loop()
    await effect("loop")
    print("progress", file=out, flush=True)
    printer.line("")
    await effect("printed")
    same = loop is asyncio.get_running_loop()
    return out is sys.stdout, printer.stream is sys.stderr, environment is os.environ, modules is sys.modules, same, printer.lines


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
