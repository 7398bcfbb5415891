# durable: on
"""Heaps with tie counters, bisect, itemgetter, attrgetter and methodcaller keep working over awaits."""
import asyncio
import bisect
import heapq
import itertools
import operator

from world import effect


class Task:
    def __init__(self, name, cost):
        self.name = name
        self.cost = cost


async def main():
    tie = itertools.count()
    heap = []
    for name, cost in [("a", 3), ("b", 1), ("c", 2), ("d", 1)]:
        heapq.heappush(heap, (cost, next(tie), Task(name, cost)))
    ranks = []
    get = operator.attrgetter("name", "cost")
    first = operator.itemgetter(1, 0)
    upper = operator.methodcaller("replace", "a", "A")
    await effect("made")
    order = []
    while heap:
        cost, _, task = heapq.heappop(heap)
        order.append(get(task))
        bisect.insort(ranks, (-cost, task.name))
        if await effect(f"run {task.name}", task.name) == "c":
            heapq.heappush(heap, (0, next(tie), Task("late", 0)))
    firsts = list(heapq.merge([1, 4, 9], [2, 3, 10], [5]))[:3]
    await effect("held")
    return order, ranks, first("xyz"), upper("banana"), firsts, bisect.bisect([1, 3, 5], 3), operator.index(True)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
