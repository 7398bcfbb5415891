# durable: on
"""match inside loops with break, continue, return, bindings that leak from failed guards, nested matches."""
import asyncio

from world import effect


async def walk(tokens):
    stack = []
    position = -1
    for position, token in enumerate(tokens):
        match token.split():
            case ["push", *values]:
                for value in values:
                    match value:
                        case "skip":
                            continue
                        case "stop":
                            break
                    stack.append(await effect(f"push-{value}", value))
                else:
                    stack.append("all")
            case ["leak", name, other] if await effect("guard", False):
                pass
            case ["leak", *_]:
                stack.append((name, other))
            case ["next"]:
                continue
            case ["end"]:
                break
            case ["return", value]:
                return stack, position, await effect("return", value)
            case unknown:
                stack.append(unknown)
        stack.append("|")
    else:
        stack.append("completed")
    return stack, position


async def main():
    out = [await walk(["push 1 skip 2", "leak a b", "next", "push stop 9", "what is"])]
    out.append(await walk(["end", "push 5"]))
    out.append(await walk(["push", "return r", "push 6"]))
    match (await effect("left", 1), await effect("right", 2)):
        case (a, b) if (c := a + b) == 4:
            out.append("never")
        case (a, 2):
            out.append((a, b, c))
    match [1, 2]:
        case [int(q), str()]:
            out.append("never")
    names = locals()
    return out, [n for n in ("a", "b", "c", "q") if n in names]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
