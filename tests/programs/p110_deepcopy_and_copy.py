# durable: on
"""Copies of a graph made around awaits are independent of it but keep its inner sharing."""
import asyncio
import copy

from world import effect


class Pair:
    def __init__(self, left, right):
        self.left = left
        self.right = right


async def main():
    inner = [1]
    graph = {"pair": Pair(inner, inner), "inner": inner}
    graph["self"] = graph
    shallow = copy.copy(graph)
    deep = copy.deepcopy(graph)
    await effect("copied")
    inner.append(await effect("grown", 2))
    deep["inner"].append("deep")
    await effect("checked")
    third = copy.deepcopy(deep)
    await effect("third")
    return [
        inner,
        shallow["inner"] is inner,
        shallow["self"] is graph,
        deep["inner"],
        deep["pair"].left is deep["pair"].right is deep["inner"],
        deep["self"] is deep,
        third["self"] is third and third["inner"] is not deep["inner"],
        third["pair"].left,
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
