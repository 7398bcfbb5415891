# durable: on
"""Match objects of str and bytes patterns stay bound over awaits and still give their groups."""
import asyncio
import re

from world import effect


async def main():
    match = re.compile(r"(?P<key>\w+)=(?P<value>\d+)?").search("say a=1, b=2", 3)
    raw = re.match(rb"(x)(y)?", b"xz")
    pairs = []
    for found in list(re.finditer(r"(\w)(\d)", "a1 b2 c3")):
        pairs.append((await effect(f"pair {found[1]}", found[2]), found.span(), found.string))
    await effect("held")
    return [
        (match["key"], match.groupdict(), match.span("value"), match.pos, match.expand(r"\2-\1")),
        (raw.groups(), raw.end(), raw.re.pattern),
        pairs,
        found.start(2),
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
