"""How code is identified: by its place in the module and a hash of what it says, the same in every Python version."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from durable_import.rewrite.analysis.places import Places, digest
from tests.harness.interpreters import Version, ask, interpreters, name_of
from tests.harness.rewriting import GOLDEN, PROGRAMS, identities, is_readable, sources

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
SPELLINGS = (
    "'\N{GRINNING FACE}'", "'\U0001fae8'", "'\u00e9' '\\n'", "f'{x}' 'y' f'{y}'", "'a' f'b' 'c'", "f'{x:{y}}'",
    "f'{x:>{y}}{y!r:}'", "f'{x=} {y = }'", "f'{{{x}}}'", "f''",
    "'' f'{x}' ''", "f'\\N{EM DASH}{x}'", "u'x'", "r'\\d'", "b'\\xff'",
    "0x10 + 1_000 + 1e400 + 1e-3j", "f'{x:%H:%M}'", "f'{x!s}' f'{f\"{y}\"}'",
)  # fmt: skip


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


def identified(paths: list[Path]) -> dict[Version, dict[str, Any]]:
    """What each Python version says of the files that it can parse, by path."""
    found = {}
    for version, executable in interpreters().items():
        readable = [str(path) for path in paths if is_readable(path, version)]
        found[version] = ask(executable, "tests.harness.identify", readable)
    return found


def test_code_is_identified_alike_in_every_version() -> None:
    """Places, digests, labels and live hidden variables of all programs are the same in all Python versions found."""
    paths = {path for version in interpreters() for folder in (GOLDEN, PROGRAMS) for path in sources(folder, version)}
    answers = identified(sorted(paths))
    reference = {path: said for _, answer in sorted(answers.items()) for path, said in answer.items()}
    assert len(reference) > 150
    differing = [
        f"{path} in Python {name_of(version)}"
        for version, answer in answers.items()
        for path in answer
        if answer[path] != reference[path]
    ]
    assert not differing


def test_strings_are_identified_alike_in_every_version(tmp_path: Path) -> None:
    """Characters that only newer versions know, and formatted strings however they are parsed, give one digest."""
    paths = {tmp_path / f"case_{i}.py": text for i, text in enumerate(SPELLINGS)}
    for path, text in paths.items():
        path.write_text(f"async def f(x, y):\n    return {text}\n", encoding="utf-8")
    answers = identified(list(paths))
    digests = {text: [answer[str(path)] for answer in answers.values()] for path, text in paths.items()}
    assert not {text for text, found in digests.items() if any(digest != found[0] for digest in found)}
