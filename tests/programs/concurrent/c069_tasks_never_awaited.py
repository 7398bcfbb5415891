# durable: on
"""Background tasks that nobody awaits finish while the program waits for something else."""
import asyncio

from world import effect

background = set()


def fire_and_forget(coro):
    task = asyncio.get_running_loop().create_task(coro)
    background.add(task)
    task.add_done_callback(background.discard)


class AuditLog:
    def __init__(self, expected):
        self.expected = expected
        self.lines = []
        self.complete = asyncio.Event()

    async def write(self, line):
        stored = await effect(f"audit {line}", line.upper())
        self.lines.append(stored)
        if len(self.lines) == self.expected:
            self.complete.set()


async def count_down(name, turns, log):
    while turns:
        log.append(f"{name}{turns}")
        turns -= 1
        await asyncio.sleep(0)
    log.append(f"{name} lifts off")


async def chain(names, log):
    """Each link starts the next one and is never awaited."""
    log.append(names[0])
    await asyncio.sleep(0)
    if len(names) > 1:
        fire_and_forget(chain(names[1:], log))


async def main():
    audit = AuditLog(expected=3)
    for line in ("login", "query", "logout"):
        fire_and_forget(audit.write(line))
    running = len(background)
    await audit.complete.wait()
    await asyncio.sleep(0)
    left = len(background)

    log = []
    fire_and_forget(count_down("x", 3, log))
    fire_and_forget(count_down("y", 1, log))
    snapshots = []
    for _ in range(5):
        snapshots.append((len(log), len(background)))
        await asyncio.sleep(0)

    links = []
    fire_and_forget(chain(["a", "b", "c", "d"], links))
    for _ in range(10):
        await asyncio.sleep(0)
    ignored = asyncio.create_task(asyncio.sleep(0, "a result nobody reads"))
    await effect("the end")
    while not ignored.done():
        await asyncio.sleep(0)
    return running, sorted(audit.lines), left, log, snapshots, links, len(background)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
