# durable: on
"""Cleaning up awaits while its task is cancelled; a second cancellation strikes the cleanup itself."""
import asyncio

from world import effect


class Session:
    def __init__(self, name, log):
        self.name = name
        self.log = log

    async def __aenter__(self):
        self.log.append(await effect(f"login {self.name}", f"login {self.name}"))
        return self

    async def __aexit__(self, kind, error, trace):
        self.log.append((f"leaving {self.name}", kind and kind.__name__))
        self.log.append(await effect(f"logout {self.name}", f"logout {self.name}"))
        return False


async def work(name, log, parked):
    async with Session(name, log):
        try:
            parked.set()
            await asyncio.sleep(3600)
        finally:
            log.append("rolling back")
            await effect(f"rollback {name}")
            await asyncio.sleep(0.01)
            log.append("rolled back")


async def slow_cleanup(log, parked, cleaning):
    me = asyncio.current_task()
    try:
        parked.set()
        await asyncio.Event().wait()
    finally:
        try:
            log.append(("cleanup begins", me.cancelling()))
            cleaning.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError as second:
            context = second.__context__
            log.append(("cleanup interrupted", second.args, context.args, me.cancelling()))
            await effect("emergency stop")
            log.append("emergency stop done")
            raise


async def main():
    log, parked = [], asyncio.Event()
    task = asyncio.create_task(work("ann", log, parked))
    await parked.wait()
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        log.append("ann is out")

    second, parked, cleaning = [], asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(slow_cleanup(second, parked, cleaning))
    await parked.wait()
    task.cancel("first")
    await cleaning.wait()
    alive = task.done()
    task.cancel("second")
    try:
        await task
    except asyncio.CancelledError as stop:
        second.append(stop.args)
    return log, second, alive, task.cancelled(), task.cancelling()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
