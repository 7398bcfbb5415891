# durable: on
"""A monitor looks at tasks from outside: done, result, exception, coroutine and their errors."""
from asyncio import CancelledError, Event, InvalidStateError, create_task, run, sleep

from world import effect, fail


class Overheated(Exception):
    pass


async def compute(n, gate):
    await gate.wait()
    return await effect(f"compute {n}", n * n)


async def overheat(gate):
    await gate.wait()
    await fail("overheat", Overheated(90))


async def idle(gate):
    await gate.wait()
    await Event().wait()


def inspect(task):
    report = [task.get_coro().__name__, task.done(), task.cancelled()]
    for ask in (task.result, task.exception):
        try:
            answer = ask()
        except (InvalidStateError, CancelledError, Overheated) as error:
            report.append(f"{ask.__name__} raises {type(error).__name__}")
        else:
            report.append((ask.__name__, repr(answer)))
    return report


async def main():
    gate = Event()
    coro = compute(7, gate)
    tasks = {
        "compute": create_task(coro),
        "overheat": create_task(overheat(gate)),
        "idle": create_task(idle(gate)),
    }
    reports = {"before": {name: inspect(task) for name, task in tasks.items()}}
    same = tasks["compute"].get_coro() is coro
    await effect("inspect while all wait")
    reports["waiting"] = {name: inspect(task) for name, task in tasks.items()}
    gate.set()
    squared = await tasks["compute"]
    try:
        await tasks["overheat"]
    except Overheated as error:
        hot = error is tasks["overheat"].exception()
    reports["worked"] = {name: inspect(task) for name, task in tasks.items()}
    tasks["idle"].cancel()
    await sleep(0)
    await sleep(0)
    reports["after"] = {name: inspect(task) for name, task in tasks.items()}
    twice = await tasks["compute"], await tasks["compute"]
    errors = []
    for _ in range(2):
        try:
            await tasks["overheat"]
        except Overheated as error:
            errors.append(error)
    return reports, same, squared, hot, twice, errors[0] is errors[1]


if __name__ == "__main__":
    print(repr(run(main())))
