# durable: on
"""asyncio.wait in its three modes over tasks that finish after fixed numbers of turns."""
import asyncio

from world import effect


class Derailed(Exception):
    pass


async def train(turns, arrivals, name):
    for _ in range(turns):
        await asyncio.sleep(0)
    arrivals.append(name)
    return name


async def derail(turns, arrivals):
    for _ in range(turns):
        await asyncio.sleep(0)
    arrivals.append("derailed")
    raise Derailed(turns)


def start(arrivals, **turns):
    return [
        asyncio.create_task(derail(n, arrivals) if name == "wreck" else train(n, arrivals, name), name=name)
        for name, n in turns.items()
    ]


def names(tasks):
    return sorted(task.get_name() for task in tasks)


async def main():
    outcome = {}
    arrivals = []
    tasks = start(arrivals, slow=9, quick=1, middle=4)
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    outcome["first"] = names(done), names(pending), tuple(arrivals)
    await effect("platform change")
    done, pending = await asyncio.wait(pending)
    outcome["rest"] = names(done), names(pending), sorted(t.result() for t in done)

    arrivals = []
    tasks = start(arrivals, slow=9, wreck=3, quick=1)
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    outcome["exception"] = names(done), names(pending), tuple(arrivals)
    outcome["error"] = [repr(t.exception()) for t in tasks if t in done and t.exception()]
    done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_EXCEPTION)
    outcome["none left"] = names(done), names(pending)

    loaders = [asyncio.create_task(effect(f"load {w}", w), name=w) for w in ("coal", "wood", "iron")]
    done, pending = await asyncio.wait(loaders, return_when=asyncio.ALL_COMPLETED)
    outcome["loaded"] = names(done), [t.result() for t in loaders], len(pending), done == set(loaders)

    again, _ = await asyncio.wait(loaders, return_when="FIRST_COMPLETED")
    outcome["already done"] = names(again)
    try:
        await asyncio.wait([])
    except ValueError:
        outcome["empty"] = "refused"
    return outcome


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
