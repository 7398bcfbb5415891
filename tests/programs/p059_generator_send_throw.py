# durable: on
"""Sync generators driven with send, throw and close while awaits happen between the steps."""
import asyncio

from world import effect


def averager(log):
    total, count = 0, 0
    try:
        while True:
            try:
                x = yield total / count if count else None
            except ValueError as error:
                log.append(("reset", str(error)))
                total = count = 0
                continue
            if x is None:
                break
            total, count = total + x, count + 1
    except GeneratorExit:
        log.append("exit")
        raise
    finally:
        log.append("finally")
    return total, count


async def main():
    log, out = [], []
    gen = averager(log)
    out.append(next(gen))
    for n in (10, 20, 60):
        out.append(gen.send(await effect(f"send{n}", n)))
    out.append(gen.throw(ValueError("again")))
    await effect("after throw")
    out.append(gen.send(4))
    await effect("before end")
    try:
        gen.send(None)
    except StopIteration as stop:
        out.append(stop.value)
    await effect("finished")
    out.append(next(gen, "still finished"))
    closed = averager(log)
    closed.send(None)
    await effect("open")
    closed.close()
    await effect("closed")
    out.append((list(closed), closed.gi_frame is None))
    unstarted = averager(log)
    await effect("unstarted")
    try:
        unstarted.send(1)
    except TypeError as error:
        out.append(str(error))
    unstarted.close()
    broken = averager(log)
    next(broken)
    await effect("broken soon")
    try:
        broken.throw(KeyError("out"))
    except KeyError as error:
        out.append(repr(error))
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
