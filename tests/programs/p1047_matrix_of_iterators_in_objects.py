# durable: on
"""Iterators live in attributes, tuples, dict values and closures, shared between several owners."""
import asyncio
import itertools

from world import effect


class Lexer:
    def __init__(self, words):
        self.words = iter(words)
        self.ids = itertools.count(1)
        self.pushed = []

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.ids), self.pushed.pop() if self.pushed else next(self.words)


def sharer(it):
    def take(n):
        return list(itertools.islice(it, n))

    return take


async def main():
    lexer = Lexer("the quick brown fox jumps over the dog".split())
    other = Lexer(())
    other.words, other.ids = lexer.words, lexer.ids
    take = sharer(lexer.words)
    both = (zip(lexer, other), {"left": lexer.words})
    out = [next(both[0])]
    await effect("one")
    lexer.pushed.append("PUSHED")
    out.append(next(both[0]))
    out.append(take(1))
    await effect("two")
    for number, word in lexer:
        out.append((number, await effect(word, word)))
        if word == "jumps":
            break
    out.append(next(both[1]["left"]))
    await effect("three")
    return out, take(5), next(other.ids), lexer.words is both[1]["left"], list(zip(itertools.repeat("x"), take(1)))


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
