# durable: on
"""A tour is improved by simulated annealing with a random.Random and awaits at every cooling step."""
import asyncio
import math
import random

from world import effect


def length(tour, points):
    return math.fsum(math.dist(points[a], points[b]) for a, b in zip(tour, [*tour[1:], tour[0]]))


def neighbours(tour, rng):
    while True:
        i, j = sorted(rng.sample(range(len(tour)), 2))
        yield tour[:i] + tour[i : j + 1][::-1] + tour[j + 1 :]


async def anneal(points, rng, steps):
    tour = best = list(range(len(points)))
    temperature = 10.0
    accepted = 0
    for step in range(steps):
        proposals = neighbours(tour, rng)
        for _ in range(40):
            candidate = next(proposals)
            delta = length(candidate, points) - length(tour, points)
            if delta < 0 or rng.random() < math.exp(-delta / temperature):
                tour = candidate
                accepted += 1
                proposals.close()
                proposals = neighbours(tour, rng)
        if length(tour, points) < length(best, points):
            best = tour
        temperature *= await effect(f"cool {step}", 0.6)
    return best, accepted


async def main():
    rng = random.Random(42)
    points = [(rng.randrange(100), rng.randrange(100)) for _ in range(10)]
    start = length(list(range(10)), points)
    best, accepted = await anneal(points, rng, 10)
    return best, accepted, round(start, 6), round(length(best, points), 6), rng.randrange(10**6)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
