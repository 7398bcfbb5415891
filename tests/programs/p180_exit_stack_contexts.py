# durable: on
"""An ExitStack with entered context managers is held across awaits and unwinds in order."""
import asyncio
import contextlib

from world import effect


class Resource:
    def __init__(self, name, log):
        self.name = name
        self.log = log

    def __enter__(self):
        self.log.append(f"enter {self.name}")
        return self

    def __exit__(self, kind, value, trace):
        self.log.append(f"exit {self.name} {kind and kind.__name__}")
        return self.name == "guard" and kind is KeyError


async def main():
    log = []
    with contextlib.ExitStack() as stack:
        guard = stack.enter_context(Resource("guard", log))
        for name in "ab":
            stack.enter_context(Resource(await effect(f"open {name}", name), log))
        await effect("all open")
        stack.push(Resource("pushed", log))
        await effect("pushed")
        kept = contextlib.ExitStack()
        kept.enter_context(Resource("kept", log))
        if guard.name == "guard":
            await effect("before raise")
            raise KeyError("swallowed")
    await effect("after")
    moved = kept.pop_all()
    kept.close()
    log.append("kept is empty")
    await effect("moved")
    moved.close()
    return log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
