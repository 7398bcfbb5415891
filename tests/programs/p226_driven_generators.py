# durable: on
"""The program sends into coroutines whose awaits are generators: each is in the middle, several levels deep, while effects run."""
import asyncio
import types

from world import effect


@types.coroutine
def trap(*request):
    answer = yield request
    return answer


class Question:
    def __init__(self, *names):
        self.names = names
        self.asked = []

    def __await__(self):
        answers = {}
        for name in self.names:
            self.asked.append(name)
            try:
                answers[name] = yield "ask", name
            except LookupError as error:
                answers[name] = error.args, (yield from trap("why", name))
        twice = yield from both(*answers).__await__()
        return answers, twice


async def both(*names):
    return [await trap("again", name) for name in names[:2]]


async def session(name, log):
    question = Question(f"{name} a", f"{name} b")
    log.append(await question)
    return name, question.asked, await trap("end", name)


async def main():
    log, results = [], []
    waiting = [(session(name, log), None) for name in ("x", "y")]
    number = 0
    while waiting:
        coroutine, answer = waiting.pop(0)
        try:
            if isinstance(answer, Exception):
                kind, name = coroutine.throw(answer)
            else:
                kind, name = coroutine.send(answer)
        except StopIteration as stop:
            results.append(stop.value)
            continue
        number += 1
        answer = await effect(f"{number} {kind} {name}", f"{kind} {number}")
        waiting.append((coroutine, LookupError(answer) if kind == "ask" and number % 3 == 0 else answer))
        log.append(await asyncio.sleep(0, kind))
    return results, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
