# durable: on
"""Sync generators suspended inside try, with, finally and except while the caller awaits."""
import asyncio

from world import effect


class Lock:
    held = 0

    def __enter__(self):
        self.held += 1
        return self

    def __exit__(self, *info):
        self.held -= 1


def worker(lock, log):
    with lock as same:
        try:
            yield "in try", same.held
            1 / 0
        except ZeroDivisionError as error:
            yield "in except", type(error).__name__
            try:
                raise KeyError("second")
            except KeyError as inner:
                yield "nested", repr(inner.__context__)
            yield "after nested", repr(error)
            try:
                yield from sub(log)
                raise
            except ZeroDivisionError:
                log.append("reraised")
        finally:
            yield "in finally", lock.held
            log.append("finally over")
    yield "outside", lock.held


def sub(log):
    try:
        return (yield "in sub")
    finally:
        log.append("sub finally")


def returning(log):
    for k in range(3):
        try:
            if k == 1:
                return "value"
        finally:
            yield k
            log.append(("left", k))


async def main():
    lock, log, out = Lock(), [], []
    for k, step in enumerate(worker(lock, log)):
        out.append(await effect(f"step{k}", step))
    gen = returning(log)
    while True:
        try:
            out.append(next(gen))
        except StopIteration as stop:
            out.append(stop.value)
            break
        await effect("returning")
    abandoned = worker(lock, log)
    next(abandoned)
    await effect("abandon")
    out.append(lock.held)
    try:
        abandoned.throw(LookupError("thrown"))
    except LookupError:
        out.append("never")
    except BaseException:
        raise
    finally:
        await effect("in the end")
        try:
            next(abandoned)
        except LookupError as error:
            out.append((repr(error), lock.held))
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
