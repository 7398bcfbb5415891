"""How code is identified: by its place in the module and a hash of what it says, and nothing else."""

from __future__ import annotations

import ast

import pytest

from durable_import.rewrite.analysis.places import Places, digest
from tests.harness.rewriting import identities

SOURCE = '''
import asyncio


async def main(a, b=lambda: 1):
    """Doc."""
    total = [await f(x) for x in a]

    async def inner():
        return await f(b)

    return sorted(total, key=lambda x: (lambda: x)())


class Cart:
    async def total(self):
        return sum(x for x in await self.prices())

    async def prices(self):
        class Price:
            async def get(self):
                return await f()
        return {k: v async for k, v in f()}


async def twice():
    await f(1)


async def twice():
    await f(2)


handlers = [lambda: 1, lambda: 2]
'''
PLACES = [
    "main", "main.<locals>.<lambda>", "main.<locals>.<listcomp>", "main.<locals>.inner", "main.<locals>.<lambda>#2",
    "main.<locals>.<lambda>#2.<locals>.<lambda>", "Cart", "Cart.total", "Cart.total.<locals>.<genexpr>", "Cart.prices",
    "Cart.prices.<locals>.Price", "Cart.prices.<locals>.Price.get", "Cart.prices.<locals>.<dictcomp>", "twice",
    "twice#2", "<lambda>", "<lambda>#2",
]  # fmt: skip
FUNCTION = "async def f(a, b=1):\n    x = [await a(i) for i in b]\n    return x, 'text', b'bytes', 1.5, 2j, -0.0, ...\n"
SAME = {
    "a comment": FUNCTION.replace("x = [", "# why\n    x = ["),
    "blank lines": "\n\n" + FUNCTION.replace("\n    return", "\n\n\n    return"),
    "indentation": FUNCTION.replace("\n    ", "\n  "),
    "parentheses": FUNCTION.replace("return x, 'text'", "return (x), ('text')"),
    "quotes": FUNCTION.replace("'text'", '"text"'),
    "lines": FUNCTION.replace("(a, b=1)", "(\n    a,\n    b=1,\n)"),
    "spelling of a number": FUNCTION.replace("1.5", "1.50"),
    "other code before": "import os\n\n\nasync def g():\n    await os\n\n\n" + FUNCTION,
    "other code after": FUNCTION + "\n\nclass Other:\n    pass\n",
}
CHANGED = {
    "a name": FUNCTION.replace("for i in b", "for j in b"),
    "a function's name": FUNCTION.replace("def f", "def g"),
    "a constant": FUNCTION.replace("'text'", "'texts'"),
    "a constant's type": FUNCTION.replace("b=1", "b=True"),
    "a number's type": FUNCTION.replace("1.5", "1"),
    "a sign of zero": FUNCTION.replace("-0.0", "0.0"),
    "bytes": FUNCTION.replace("b'bytes'", "'bytes'"),
    "an await": FUNCTION.replace("await a(i)", "a(i)"),
    "the kind of function": FUNCTION.replace("async def", "def").replace("await ", ""),
    "a default value": FUNCTION.replace("b=1", "b=2"),
    "a parameter's kind": FUNCTION.replace("a, b=1", "a, /, b=1"),
    "a statement": FUNCTION.replace("    return", "    pass\n    return"),
    "order": FUNCTION.replace("x, 'text'", "'text', x"),
    "an annotation": FUNCTION.replace("(a,", "(a: int,"),
    "a decorator": "@d\n" + FUNCTION,
    "a docstring": FUNCTION.replace("    x =", "    'Doc.'\n    x ="),
    "the kind of comprehension": FUNCTION.replace("[await a(i) for i in b]", "{await a(i) for i in b}"),
}


def digest_of(source: str) -> str:
    """The digest of the function ``f``, or of the last one."""
    functions = [n for n in ast.parse(source).body if isinstance(n, (ast.AsyncFunctionDef, ast.FunctionDef))]
    return digest(next((n for n in functions if n.name == "f"), functions[-1]))


def test_places() -> None:
    """A place is the path of a function, class, lambda or comprehension, counted where names repeat."""
    places = Places(ast.parse(SOURCE))
    assert [places.path_of[node] for node in places.order] == PLACES


def test_places_do_not_move() -> None:
    """Places and digests of functions do not depend on the code before and after them."""
    moved = "import os\n\n\nasync def first():\n    await (lambda: os)()\n\n" + SOURCE
    before, after = ({i[0]: i for i in identities(s.encode())} for s in (SOURCE, moved))
    assert {place: after[place] for place in before} == before


@pytest.mark.parametrize("variant", SAME.values(), ids=SAME)
def test_digest_is_of_the_meaning(variant: str) -> None:
    """What does not change a function's meaning does not change its digest."""
    assert digest_of(variant) == digest_of(FUNCTION)


@pytest.mark.parametrize("variant", CHANGED.values(), ids=CHANGED)
def test_digest_changes_with_the_code(variant: str) -> None:
    """Whatever is said differently changes the digest."""
    assert digest_of(variant) != digest_of(FUNCTION)
