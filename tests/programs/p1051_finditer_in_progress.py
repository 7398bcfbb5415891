# durable: on
"""Loops over re.finditer and Pattern.finditer await in their bodies."""
import asyncio
import re

from world import effect


async def main():
    out = []
    for found in re.finditer(r"\w+", "one two three four"):
        out.append(await effect(found[0], found.start()))
    words = iter(list(re.compile(r"(\w)(\w)").finditer("abcdefgh", 2)))
    out.append(next(words).groups())
    await effect("held")
    out.extend(m.groups() for m in words)
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
