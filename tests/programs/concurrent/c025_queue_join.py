# durable: on
"""Workers drain a queue; join returns when each item is done, also when some fail."""
import asyncio as aio

from world import effect, fail


class Letter:
    def __init__(self, to, stamped=True):
        self.to = to
        self.stamped = stamped
        self.delivered = None


async def postman(queue, returned):
    while True:
        letter = await queue.get()
        try:
            if not letter.stamped:
                await fail(f"refuse {letter.to}", ValueError(letter.to))
            letter.delivered = await effect(f"deliver {letter.to}", f"at {letter.to}'s")
        except ValueError as error:
            returned.append(error)
        finally:
            queue.task_done()


async def main():
    queue = aio.Queue()
    returned = []
    letters = [Letter(n, stamped=n != "bob") for n in ("ann", "bob", "cid", "dot", "eve")]
    for letter in letters:
        queue.put_nowait(letter)
    sizes = [queue.qsize(), queue.empty(), queue.full()]
    postmen = [aio.create_task(postman(queue, returned), name=f"postman {n}") for n in range(2)]
    await queue.join()
    sizes += [queue.qsize(), queue.empty()]
    idle = [p.done() for p in postmen]
    delivered = [letter.delivered for letter in letters]

    more = Letter("fay")
    await queue.put(more)
    await queue.join()

    # join called early by several tasks ends for all of them at once
    order = []

    async def joiner(name):
        await queue.join()
        order.append(name)

    await queue.put(Letter("gus"))
    joiners = [aio.create_task(joiner(n)) for n in "abc"]
    await aio.wait(joiners)
    for p in postmen:
        p.cancel("end of shift")
    ends = await aio.gather(*postmen, return_exceptions=True)
    try:
        queue.task_done()
    except ValueError:
        order.append("task_done once too often")
    try:
        queue.get_nowait()
    except aio.QueueEmpty:
        order.append("empty")
    return sizes, idle, delivered, more.delivered, order, [type(e).__name__ for e in ends], [e.args for e in returned]


if __name__ == "__main__":
    print(repr(aio.run(main())))
