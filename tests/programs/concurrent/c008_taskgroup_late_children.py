# durable: on
"""Children of a task group discover more work and add tasks to the group that is already being left."""
import asyncio

from world import effect

PARTS = {
    "car": ["body", "engine", "wheel"],
    "engine": ["piston", "valve"],
    "body": ["door"],
    "door": ["handle", "lock"],
    "lock": ["key"],
}


class Inventory:
    def __init__(self):
        self.group = None
        self.order = []
        self.weights = {}
        self.depth = {}

    async def visit(self, part, depth):
        self.order.append(part)
        self.depth[part] = depth
        for child in PARTS.get(part, ()):
            self.group.create_task(self.visit(child, depth + 1))
        await asyncio.sleep(0)
        if part not in PARTS:
            self.group.create_task(self.weigh(part), name=f"weigh {part}")

    async def weigh(self, part):
        self.weights[part] = await effect(f"weigh {part}", len(part))


async def main():
    inventory = Inventory()
    async with asyncio.TaskGroup() as group:
        inventory.group = group
        group.create_task(inventory.visit("car", 0))
    refused = None
    late = inventory.weigh("too late")
    try:
        group.create_task(late)
    except RuntimeError as error:
        refused = type(error).__name__
    late.close()
    total = await effect("sum", sum(inventory.weights.values()))
    return inventory.order, inventory.depth, dict(sorted(inventory.weights.items())), total, refused


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
