# durable: on
"""Locks, semaphores, queues and conditions are waited for with a limit; giving up loses nothing."""
import asyncio

from world import effect


async def within(seconds, awaitable):
    try:
        async with asyncio.timeout(seconds):
            return await awaitable
    except TimeoutError:
        return "gave up"


async def holder(lock, held, free):
    async with lock:
        held.set()
        await free.wait()
        return await effect("holder finishes", "held")


async def attempt(name, seconds, lock, log):
    if await within(seconds, lock.acquire()) == "gave up":
        log.append(f"{name} gave up")
        return False
    log.append(f"{name} got it")
    lock.release()
    return True


async def main():
    log = []
    lock, held, free = asyncio.Lock(), asyncio.Event(), asyncio.Event()
    holding = asyncio.create_task(holder(lock, held, free))
    await held.wait()
    patient = asyncio.create_task(attempt_forever(lock, log))
    await asyncio.gather(*(attempt(n, s, lock, log) for n, s in (("ann", 0.2), ("bob", 0.05))))
    free.set()
    log.append(await holding)
    await patient
    await attempt("cid", 30, lock, log)

    semaphore = asyncio.Semaphore(1)
    await semaphore.acquire()
    log.append(await within(0.05, semaphore.acquire()))
    semaphore.release()
    log.append((await within(30, semaphore.acquire()), semaphore.locked()))

    queue = asyncio.Queue(1)
    log.append(await within(0.05, queue.get()))
    await within(30, queue.put("parcel"))
    log.append((await within(0.05, queue.put("lost?")), queue.qsize()))
    log.append((await within(30, queue.get()), queue.empty()))

    condition = asyncio.Condition()
    async with condition:
        log.append((await within(0.05, condition.wait()), condition.locked()))
    log.append(condition.locked())
    barrier = asyncio.Barrier(2)
    log.append((await within(0.05, barrier.wait()), barrier.n_waiting, barrier.broken))
    log.append(await within(30, effect("in time", "in time")))
    return log, lock.locked()


async def attempt_forever(lock, log):
    async with lock:
        log.append("the patient one got it")


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
