# durable: on
"""A breadth-first search over words with parents in a dict, generators of neighbours, and a priority queue variant."""
import asyncio
import collections
import heapq
import string

from world import effect


WORDS = frozenset("cold cord card ward warm word worm corm wort form fort fold gold bold".split())


def neighbours(word):
    for i, old in enumerate(word):
        for letter in string.ascii_lowercase:
            if letter != old and (other := word[:i] + letter + word[i + 1 :]) in WORDS:
                yield other


def path(parents, word):
    steps = []
    while word is not None:
        steps.append(word)
        word = parents[word]
    return steps[::-1]


async def breadth(start, goal):
    parents, queue, level = {start: None}, collections.deque([start]), 0
    while queue:
        level += 1
        for _ in range(len(queue)):
            word = queue.popleft()
            if word == goal:
                return path(parents, word), len(parents)
            for other in neighbours(word):
                if other not in parents:
                    parents[other] = word
                    queue.append(other)
        await effect(f"level {level}")
    return None


async def best_first(start, goal):
    heap, seen = [(0, 0, (start,))], set()
    while heap:
        _, cost, steps = heapq.heappop(heap)
        word = steps[-1]
        if word in seen:
            continue
        seen.add(word)
        if word == goal:
            return steps, len(seen)
        for other in neighbours(word):
            distance = sum(a != b for a, b in zip(other, goal))
            heapq.heappush(heap, (cost + 1 + distance, cost + 1, (*steps, other)))
        await effect(f"visit {word}")


async def main():
    return await breadth("cold", "warm"), await best_first("gold", "wort"), await breadth("warm", "none")


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
