# durable: on
"""with statements of several items: order of enter and exit, targets of every kind, awaits between."""
import asyncio

from world import effect, fail


class Manager:
    def __init__(self, name, log, value=None, suppress=False):
        self.name, self.log, self.value, self.suppress = name, log, value, suppress
        log.append(f"make {name}")

    def __enter__(self):
        self.log.append(f"enter {self.name}")
        return self.value

    def __exit__(self, kind, error, traceback):
        self.log.append((f"exit {self.name}", kind and kind.__name__, repr(error), traceback is None))
        return self.suppress


class Target:
    pass


async def main():
    log, target, table = [], Target(), {}
    with Manager("a", log, 1) as x, Manager("b", log, (2, [3, 4])) as (y, [*z]), Manager(await effect("c", "c"), log, 5) as target.value:
        log.append((x, y, z, target.value, await effect("body")))
    with (
        Manager("d", log, "v") as table[await effect("key", "k")],
        Manager("e", log, suppress=True),
        Manager("f", log),
    ):
        await fail("in body", ValueError("suppressed by e"))
        log.append("never")
    log.append(table)
    try:
        with Manager("g", log), Manager("h", log, 7) as (p, q):
            log.append("never")
    except TypeError as error:
        log.append(str(error))
    with Manager("i", log, suppress=True):
        with Manager("j", log), Manager(await fail("while making", KeyError("k")), log):
            log.append("never")
    for k in range(3):
        with Manager(f"loop{k}", log):
            if await effect(f"k{k}", k == 1):
                break
            continue
    return log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
