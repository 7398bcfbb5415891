# durable: on
"""A visitor dispatches asynchronous visit methods by node type through getattr, with a generic fallback and a stack."""
import ast
import asyncio
import operator

from world import effect


OPERATORS = {ast.Add: operator.add, ast.Mult: operator.mul, ast.Sub: operator.sub}


class Node:
    def __init__(self, kind, *children, **fields):
        self.kind = kind
        self.children = children
        self.__dict__.update(fields)


def convert(tree):
    match tree:
        case ast.Expression(body):
            return convert(body)
        case ast.BinOp(left, op, right):
            return Node("binary", convert(left), convert(right), op=OPERATORS[type(op)])
        case ast.Constant(value):
            return Node("constant", value=value)
        case ast.Name(id=name):
            return Node("name", name=name)
        case ast.List(elts):
            return Node("many", *map(convert, elts))
        case ast.IfExp(test, body, orelse):
            return Node("choice", convert(test), convert(body), convert(orelse))


class Visitor:
    def __init__(self):
        self.stack = []

    async def visit(self, node):
        self.stack.append(node.kind)
        try:
            method = getattr(self, "visit_" + node.kind, self.generic)
            return await method(node)
        finally:
            self.stack.pop()

    async def generic(self, node):
        return [await self.visit(child) for child in node.children]


class Evaluator(Visitor):
    def __init__(self, names):
        super().__init__()
        self.names = names
        self.deepest = 0

    async def visit_constant(self, node):
        self.deepest = max(self.deepest, len(self.stack))
        return node.value

    async def visit_name(self, node):
        return await effect(f"name {node.name} at {'/'.join(self.stack)}", self.names[node.name])

    async def visit_binary(self, node):
        left, right = [await self.visit(child) for child in node.children]
        return node.op(left, right)

    async def visit_choice(self, node):
        test, *branches = node.children
        return await self.visit(branches[not await self.visit(test)])


class Names(Visitor):
    async def visit_name(self, node):
        return {await effect(f"found {node.name}", node.name)}

    async def generic(self, node):
        return set().union(*await super().generic(node))


async def main():
    tree = convert(ast.parse("[x + 2 * y, (y - 1) if x - 3 else z, 5]", mode="eval"))
    evaluator = Evaluator({"x": 3, "y": 4, "z": "zed"})
    values = await evaluator.visit(tree)
    return values, sorted(await Names().visit(tree)), evaluator.stack, evaluator.deepest


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
