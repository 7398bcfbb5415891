# durable: on
"""A tree is measured by tasks that start tasks for the branches; a merge sort does the same."""
import asyncio

from world import effect

TREE = {
    "src": {"core": {"a.py": 3, "b.py": 5}, "ui": {"main.py": 8, "icons": {}}, "setup.py": 1},
    "docs": {"index.md": 2},
    "empty": {},
}


class Visit:
    def __init__(self):
        self.order = []
        self.depth = 0

    async def size(self, path, node, depth=0):
        self.order.append(path)
        self.depth = max(self.depth, depth)
        if isinstance(node, int):
            return await effect(f"stat {path}", node)
        tasks = {}
        async with asyncio.TaskGroup() as group:
            for name, child in node.items():
                tasks[name] = group.create_task(self.size(f"{path}/{name}", child, depth + 1))
        return sum(task.result() for task in tasks.values())


async def merge_sort(items, trace):
    if len(items) <= 1:
        return items
    middle = len(items) // 2
    async with asyncio.TaskGroup() as group:
        left = group.create_task(merge_sort(items[:middle], trace))
        right = group.create_task(merge_sort(items[middle:], trace))
    a, b = left.result(), right.result()
    merged = []
    while a and b:
        source = a if a[0] <= b[0] else b
        merged.append(source[0])
        a, b = (a[1:], b) if source is a else (a, b[1:])
    merged += a or b
    trace.append(tuple(merged))
    return merged


async def fibonacci(n):
    if n < 2:
        await asyncio.sleep(0)
        return n
    a, b = await asyncio.gather(fibonacci(n - 1), asyncio.create_task(fibonacci(n - 2)))
    return a + b


async def main():
    visit = Visit()
    total = await visit.size("", TREE)
    trace = []
    ordered, fib = await asyncio.gather(merge_sort([5, 2, 9, 1, 7, 3], trace), fibonacci(7))
    await effect("report")
    return total, visit.order, visit.depth, ordered, trace, fib


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
