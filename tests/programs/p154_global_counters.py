# durable: on
"""Global names rebound with `global` in functions, coroutines and nested functions keep their values."""
import asyncio

from world import effect


counter = 0
history = ()
label = "start"
undefined: int


async def step(n):
    global counter, history
    counter += 1
    got = await effect(f"step {n}", n)
    counter += got
    history = (*history, counter)


def relabel(text):
    global label, created

    def inner():
        global label
        label = label + "/" + text

    inner()
    created = len(label)


async def main():
    global undefined
    for n in range(3):
        await step(n)
        relabel(str(n))
    await effect("after")
    undefined = await effect("define", 5)
    await effect("defined")
    total = undefined + created
    del globals()["undefined"]
    await effect("deleted")
    return counter, history, label, total, "undefined" in globals()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
