# durable: on
"""Compiled patterns are kept across awaits; groups of matches are read before and after."""
import asyncio
import re

from world import effect


WORD = re.compile(r"(?P<first>\w)\w*", re.IGNORECASE)


async def main():
    local = re.compile(rb"\d+")
    table = {"word": WORD, "num": local, "flags": re.compile(r"a . b", re.VERBOSE | re.DOTALL)}
    await effect("made")
    text = await effect("text", "alpha beta gamma")
    match = WORD.match(text, 6)
    named, span = match.groupdict(), match.span()
    del match
    await effect("named")
    out = [m.group("first") for m in table["word"].finditer(text)]
    replaced = WORD.sub(lambda m: m["first"].upper(), await effect("again", text))
    await effect("held")
    parts = table["num"].findall(b"1 22 333")
    scanner = [(m.lastindex, m[0]) for m in re.finditer("(x)|(y)", "xyx")]
    return named, span, out, replaced, parts, scanner, table["word"] is WORD, table["flags"].flags == re.compile("", 80).flags, local.pattern


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
