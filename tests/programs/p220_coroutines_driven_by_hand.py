# durable: on
"""The program sends into coroutines itself: what they await is theirs, and no leaf of the task that drives them."""
import asyncio

from world import effect


class Request:
    def __init__(self, kind, value):
        self.kind = kind
        self.value = value

    def __await__(self):
        answer = yield self
        return answer


async def ask(kind, value):
    return await Request(kind, value)


async def job(name):
    first = await ask("double", 2)
    try:
        await ask("fail", name)
    except ValueError as error:
        second = str(error)
    return name, first, second


def step(coroutine, value, error):
    return coroutine.send(value) if error is None else coroutine.throw(error)


async def drive(coroutines):
    waiting = [(c, None, None) for c in coroutines]
    results, log = [], []
    while waiting:
        coroutine, value, error = waiting.pop(0)
        try:
            request = step(coroutine, value, error)
        except StopIteration as stop:
            results.append(stop.value)
            continue
        log.append((request.kind, await effect(f"{request.kind} {request.value} {len(log)}", request.value)))
        if request.kind == "double":
            waiting.append((coroutine, request.value * 2, None))
        else:
            waiting.append((coroutine, None, ValueError(request.value)))
    return results, log


async def main():
    return await drive([job("a"), job("b")])


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
