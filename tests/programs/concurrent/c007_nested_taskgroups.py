# durable: on
"""Nested task groups fail in layers; except* takes the layers apart."""
import asyncio

from world import effect, fail


class Soft(Exception):
    pass


class Hard(Exception):
    pass


def shape(error):
    if isinstance(error, BaseExceptionGroup):
        return [error.message] + [shape(e) for e in error.exceptions]
    return repr(error)


async def team(name, members, log):
    verdict = f"{name} fine"
    try:
        async with asyncio.TaskGroup() as group:
            for member, action in members.items():
                group.create_task(action(f"{name}.{member}"), name=f"{name}.{member}")
    except* Soft as soft:
        log[name] = shape(soft)
        await effect(f"forgive {name}")
        verdict = f"{name} forgiven"
    return verdict


async def good(who):
    return await effect(f"work {who}")


async def soft(who):
    await fail(f"soft {who}", Soft(who))


async def hard(who):
    await fail(f"hard {who}", Hard(who))


async def main():
    log = {}
    async with asyncio.TaskGroup() as group:
        red = group.create_task(team("red", {"a": good, "b": good}, log))
        blue = group.create_task(team("blue", {"a": soft}, log))
    caught = []
    try:
        async with asyncio.TaskGroup() as outer:
            outer.create_task(team("green", {"a": hard}, log))
            try:
                async with asyncio.TaskGroup() as inner:
                    inner.create_task(asyncio.Event().wait())
                    await asyncio.Event().wait()
            except asyncio.CancelledError:
                caught.append(("inner was cancelled", asyncio.current_task().cancelling()))
                raise
    except* Hard as group:
        caught.append(shape(group))
    try:
        try:
            async with asyncio.TaskGroup() as outer:
                async with asyncio.TaskGroup() as inner:
                    inner.create_task(soft("inner"))
        except* Soft as group:
            raise ExceptionGroup("again", [Hard("from handler"), *group.exceptions])
    except ExceptionGroup as group:
        matched, rest = group.split(Hard)
        caught.append((shape(matched), shape(rest)))
    return red.result(), blue.result(), log, caught


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
