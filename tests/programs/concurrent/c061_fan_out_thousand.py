# durable: on
"""A thousand tasks, of which only a few have effects; their results are folded in order."""
import asyncio
import math

from world import effect

COUNT = 1000


async def classify(number, primes, checked):
    if number < 2 or any(number % p == 0 for p in range(2, math.isqrt(number) + 1)):
        return None
    if number % 100 == 97:
        await effect(f"celebrate {number}")
    primes.append(number)
    checked[number] = asyncio.current_task()
    return number


async def wait_for_start(number, start, order):
    await start.wait()
    order.append(number)
    return number % 7


async def start_all(coroutines, chunk=50):
    """A turn for others after each fifty: making a thousand tasks at once would hold up the loop."""
    tasks = []
    for n, coroutine in enumerate(coroutines, 1):
        tasks.append(asyncio.create_task(coroutine, name=str(n - 1)))
        if n % chunk == 0:
            await asyncio.sleep(0)
    return tasks


async def send(queue, numbers):
    for n in numbers:
        queue.put_nowait(n)


async def main():
    primes, checked = [], {}
    tasks = await start_all(classify(n, primes, checked) for n in range(COUNT))
    found = await asyncio.gather(*tasks)
    ordered = [n for n in found if n is not None]
    names = all(task is tasks[n] and task.get_name() == str(n) for n, task in checked.items())

    # a crowd waits for one event; it goes on in the order in which it came
    start, order = asyncio.Event(), []
    waiting = await start_all(wait_for_start(n, start, order) for n in range(100))
    await effect("the crowd waits")
    start.set()
    remainders = await asyncio.gather(*waiting)

    queue = asyncio.Queue()
    await asyncio.gather(*(send(queue, range(n, COUNT, 10)) for n in range(10)))
    received = [queue.get_nowait() for _ in range(queue.qsize())]
    await effect("announce")
    fair = order == list(range(100)), received[:3], received[-3:]
    return len(ordered), ordered[-5:], sorted(primes) == ordered, names, fair, sum(remainders), sum(received)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
