# durable: on
"""Done callbacks of many kinds: functions, bound methods, set.discard, partials, removed ones, late ones."""
import asyncio
import functools

from world import effect, fail


class Tracker:
    def __init__(self):
        self.running = set()
        self.history = []

    def start(self, coro, name):
        task = asyncio.create_task(coro, name=name)
        self.running.add(task)
        task.add_done_callback(self.running.discard)
        task.add_done_callback(self.finished)
        return task

    def finished(self, task):
        if task.cancelled():
            self.history.append((task.get_name(), "cancelled"))
        elif error := task.exception():
            self.history.append((task.get_name(), repr(error)))
        else:
            self.history.append((task.get_name(), task.result()))


async def job(n, gate):
    await gate.wait()
    if n == 2:
        raise LookupError(n)
    return n * 10


async def main():
    tracker, gate, order = Tracker(), asyncio.Event(), []
    jobs = [tracker.start(job(n, gate), f"job-{n}") for n in range(4)]

    def note(label, task):
        order.append((label, task.get_name()))

    removed = functools.partial(note, "removed")
    for task in jobs:
        task.add_done_callback(functools.partial(note, "first"))
        task.add_done_callback(removed)
        task.add_done_callback(lambda t: order.append(("lambda", t.done())))
    counts = [jobs[1].remove_done_callback(removed), jobs[1].remove_done_callback(removed)]
    for task in (jobs[0], jobs[2], jobs[3]):
        task.remove_done_callback(removed)

    await asyncio.sleep(0)
    await effect("before the gate")
    jobs[3].cancel()
    gate.set()
    running = [len(tracker.running)]
    await asyncio.gather(*jobs, return_exceptions=True)
    running.append(len(tracker.running))
    jobs[0].add_done_callback(functools.partial(note, "late"))
    at_once = len(order)
    await asyncio.sleep(0)

    done = asyncio.get_running_loop().create_future()
    failing = tracker.start(fail("failing", ValueError("bad")), "outside coroutine")
    failing.add_done_callback(lambda t: done.set_result(str(t.exception())))
    text = await done
    return tracker.history, order, counts, running, at_once, text, len(tracker.running)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
