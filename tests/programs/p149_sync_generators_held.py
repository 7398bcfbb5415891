# durable: on
"""Sync generators not started, half consumed, with try/finally and send are kept in structures over awaits."""
import asyncio

from world import effect


def numbers(log, n):
    log.append(("start", n))
    try:
        for i in range(n):
            got = yield i
            if got:
                log.append(("got", got))
    except ValueError as error:
        log.append(("thrown", str(error)))
        yield "recovered"
    finally:
        log.append(("finally", n))


def flatten(tree):
    for part in tree:
        if isinstance(part, list):
            yield from flatten(part)
        else:
            yield part


async def main():
    log = []
    gens = {"fresh": numbers(log, 2), "half": numbers(log, 5), "thrown": numbers(log, 3)}
    flat = flatten([1, [2, [3, [4, [5]]], 6], [7]])
    out = [next(gens["half"]), next(gens["thrown"]), next(flat), next(flat), next(flat)]
    await effect("held")
    out.append(gens["half"].send("hello"))
    out.append(gens["thrown"].throw(ValueError("v")))
    out.append(next(flat))
    await effect("again")
    out.append(list(gens["fresh"]))
    out.append([await effect(f"flat {n}", n) for n in flat])
    gens["half"].close()
    await effect("closed")
    out.append(next(gens["half"], "gone"))
    out.append(list(gens["thrown"]))
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
