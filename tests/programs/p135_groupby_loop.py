# durable: on
"""A groupby loop awaits between the groups and inside of them."""
import asyncio
import itertools

from world import effect


async def main():
    words = ["apple", "avocado", "bean", "beet", "corn", "cress", "chive"]
    out = []
    groups = itertools.groupby(words, key=lambda w: w[0])
    letter, members = next(groups)
    out.append((letter, next(members)))
    await effect("inside the first")
    out.append(list(members))
    for letter, members in groups:
        await effect(f"group {letter}")
        names = []
        for word in members:
            names.append(await effect(word, word.upper()))
        out.append((letter, names))
    await effect("done")
    return out, next(groups, "end")


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
