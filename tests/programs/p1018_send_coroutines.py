# durable: on
"""Generators used as producers and consumers with send, primed by a decorator, are driven with awaits in between."""
import asyncio
import functools

from world import effect


def primed(fn):
    @functools.wraps(fn)
    def start(*args, **kwargs):
        gen = fn(*args, **kwargs)
        next(gen)
        return gen

    return start


@primed
def averager(sink):
    total = count = 0
    average = None
    while True:
        try:
            value = yield average
        except ArithmeticError as error:
            sink.append(f"reset {error}")
            total = count = 0
            average = None
            continue
        total += value
        count += 1
        average = total / count


@primed
def broadcast(*targets):
    try:
        while True:
            item = yield
            for target in targets:
                target.send(item)
    finally:
        for target in targets:
            target.close()


@primed
def grep(pattern, out):
    try:
        while True:
            line = yield
            if pattern in line:
                out.append(line)
    except GeneratorExit:
        out.append(f"closed {pattern}")


def scheduler(tasks):
    while tasks:
        for name, task in list(tasks.items()):
            try:
                yield name, next(task)
            except StopIteration as stop:
                del tasks[name]
                yield name, ("returned", stop.value)


def job(n):
    for i in range(n):
        yield i
    return n * 10


async def main():
    sink, found = [], []
    average = averager(sink)
    out = [average.send(await effect(f"value {n}", n)) for n in (10, 20)]
    out.append(average.throw(ZeroDivisionError("manual")))
    out.append(average.send(await effect("after reset", 7)))
    pipe = broadcast(grep("a", found), grep("b", found))
    for line in ["abc", "xyz", "bcd"]:
        pipe.send(await effect(line, line))
    pipe.close()
    trace = []
    for name, value in scheduler({"x": job(1), "y": job(2)}):
        trace.append((name, await effect(f"{name} step", value)))
    return out, sink, found, trace


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
