# durable: on
"""A stack and a priority queue hand out work in their own order."""
import asyncio
from asyncio import LifoQueue, PriorityQueue
from dataclasses import dataclass, field

from world import effect


@dataclass(order=True)
class Ticket:
    urgency: int
    number: int
    text: str = field(compare=False)


async def agent(queue, handled):
    while (ticket := await queue.get()).text != "closing":
        handled.append((ticket.urgency, ticket.text))
        for _ in range(ticket.urgency):
            await asyncio.sleep(0)
        if ticket.urgency == 0:
            await effect(f"escalate {ticket.text}")
        queue.task_done()
    queue.task_done()
    return len(handled)


async def undo_all(stack, undone):
    while not stack.empty():
        step = await stack.get()
        undone.append(step)
        if step == "edit 2":
            await stack.put("edit 2b")
            await stack.put("edit 2c")
        await asyncio.sleep(0)
        stack.task_done()


async def main():
    tickets = PriorityQueue()
    stack = LifoQueue(maxsize=4)
    texts = [(3, "typo"), (0, "outage"), (2, "slow"), (1, "login"), (0, "data loss"), (2, "colour"), (99, "closing")]
    for number, (urgency, text) in enumerate(texts):
        await tickets.put(Ticket(urgency, number, text))
    handled, undone = [], []
    count = await agent(tickets, handled)
    await tickets.join()

    for n in range(4):
        stack.put_nowait(f"edit {n}")
    full = stack.full()
    try:
        stack.put_nowait("one too many")
    except asyncio.QueueFull:
        undone.append("full")
    await asyncio.gather(undo_all(stack, undone), stack.join())

    # a waiting getter takes what comes first, not what is best
    waiting = asyncio.create_task(tickets.get())
    await asyncio.sleep(0)
    tickets.put_nowait(Ticket(5, 1, "first to come"))
    tickets.put_nowait(Ticket(1, 2, "better"))
    got = await waiting
    rest = tickets.get_nowait()
    await effect("close the desk")
    return handled, count, full, undone, got, rest


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
