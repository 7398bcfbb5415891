# durable: on
"""A task group loads the parts of a dashboard; results are read from the tasks when the block is left."""
import asyncio
from dataclasses import dataclass, field

from world import effect


@dataclass
class Dashboard:
    user: str
    widgets: dict = field(default_factory=dict)
    order: list = field(default_factory=list)


async def profile(user):
    return {"name": user.title(), "since": await effect(f"profile of {user}", 2019)}


async def orders(user):
    first = await effect(f"orders of {user} page 1", [3, 5])
    second = await effect(f"orders of {user} page 2", [8])
    return first + second


async def decorate(dashboard, label, hops):
    for _ in range(hops):
        await asyncio.sleep(0)
    dashboard.order.append(label)
    return label.upper()


async def load(user):
    dashboard = Dashboard(user)
    async with asyncio.TaskGroup() as group:
        parts = {
            "profile": group.create_task(profile(user)),
            "orders": group.create_task(orders(user), name=f"orders-{user}"),
        }
        for label, hops in (("banner", 3), ("menu", 1), ("footer", 1)):
            parts[label] = group.create_task(decorate(dashboard, label, hops))
        dashboard.widgets["early"] = [task.done() for task in parts.values()]
    dashboard.widgets |= {name: task.result() for name, task in parts.items()}
    dashboard.widgets["named"] = parts["orders"].get_name()
    return dashboard


async def main():
    async with asyncio.TaskGroup() as outer:
        ann = outer.create_task(load("ann"))
        bob = outer.create_task(load("bob"))
    async with asyncio.TaskGroup():
        pass
    total = await effect("total", sum(ann.result().widgets["orders"]))
    return ann.result(), bob.result().widgets, bob.result().order, total


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
