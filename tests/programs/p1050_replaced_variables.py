# durable: on
"""Names change kind over and over (int, list, generator, class, coroutine) in loops, with deletes and shadowed builtins."""
import asyncio

from world import effect


async def main():
    out = []
    for kind in ["int", "list", "gen", "class", "coro", "module"]:
        match kind:
            case "int":
                x = 10**30
            case "list":
                x = [x]
            case "gen":
                x = (i for i in x * 2)
            case "class":

                class x(list):  # noqa: N801
                    previous = x

            case "coro":
                held = x
                x = effect("inside", x)
            case "module":
                x = await x
                out.append(x is held)
        await effect(f"after {kind}")
        out.append(type(x).__name__)
    tuple = [1]  # noqa: A001
    str = await effect("shadow", "shadowed")  # noqa: A001
    await effect("still")
    out.append((tuple, str, next(x.previous) == 10**30))
    del tuple, x
    await effect("deleted")
    out.append(sorted(n for n in locals() if n in ("x", "tuple", "str", "held")))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
