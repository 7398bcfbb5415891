"""Nested blocks: CPython allows 20, and what needs more once rewritten is refused at import, never at resume."""

from __future__ import annotations

import pytest

from durable_import.errors import UnsupportedSyntaxError
from durable_import.pythons.versions import MAX_BLOCKS
from durable_import.rewrite.compiler import compile_module, compile_plain
from tests.fuzz.native import replaced_world
from tests.harness.torture import hard_torture, native

HEAD = "from world import effect, fail\n\nasync def main():\n"

#: For each construct the lines around an inner block, which stands at the last ``...``; all of them suspend.
SHAPES = {
    "handler": ["try:", "    await fail('f', KeyError(1))", "except KeyError:", "    ..."],
    "named handler": ["try:", "    await fail('f', KeyError(1))", "except KeyError as error:", "    ..."],
    "body": ["try:", "    ...", "finally:", "    last = 1"],
    "body with await after": ["try:", "    ...", "finally:", "    await effect('l')"],
    "comprehension": ["try:", "    await fail('f', KeyError(1))", "except KeyError:", "    [x for x in 'ab']", "    ..."],
    "comprehension in loop": ["for _ in range(1):", "    [[x for x in 'a'] for y in 'b']", "    ..."],
    "loop": ["for _ in range(1):", "    ..."],
}
NATIVELY = {"body": MAX_BLOCKS, "loop": MAX_BLOCKS}  # no block more than the language needs itself


def nested(shape: str, depth: int) -> str:
    """A program with a construct nested into itself."""
    lines = ["..."]
    for _ in range(depth):
        around = SHAPES[shape]
        at = next(i for i, line in enumerate(around) if line.endswith("..."))
        lines = [*around[:at], *("    " + line for line in lines), *around[at + 1 :]]
    lines = [line.replace("...", "return await effect('inner', 7)") for line in lines]
    return HEAD + "\n".join("    " + line for line in lines) + "\n"


def deepest(shape: str) -> int:
    """How often a construct can be nested."""
    for depth in range(1, 30):
        try:
            compile_module(nested(shape, depth).encode(), "deep.py", "deep")
        except (UnsupportedSyntaxError, SyntaxError):
            with pytest.raises((UnsupportedSyntaxError, SyntaxError)):  # also where that is not made before there is a runtime
                compile_plain(nested(shape, depth).encode(), "deep.py", "deep")
            return depth - 1
    raise AssertionError("no limit")


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_accepted_can_be_resumed(shape: str) -> None:
    """A program as deep as the import allows is also restored at each step."""
    depth = deepest(shape)
    assert depth >= NATIVELY.get(shape, 6)
    source = nested(shape, depth)
    with replaced_world():
        assert hard_torture(source) == native(source) == "7"


def test_what_is_too_deep_is_refused_at_import() -> None:
    """The error names file and line, the reason, and the way out."""
    source = nested("named handler", deepest("named handler") + 1)
    compile(source, "deep.py", "exec")  # natively it is not too deep
    with pytest.raises(UnsupportedSyntaxError, match=r"deep\.py:\d+: .*nested too deeply.*function of their own") as caught:
        compile_module(source.encode(), "deep.py", "deep")
    lineno = caught.value.lineno
    assert lineno is not None
    assert source.splitlines().index("async def main():") < lineno <= len(source.splitlines())


def test_what_is_natively_too_deep_is_an_ordinary_error() -> None:
    """What Python itself refuses is refused with its words."""
    with pytest.raises(SyntaxError, match=r"^too many statically nested blocks") as caught:
        compile_module(nested("loop", 21).encode(), "deep.py", "deep")
    assert not isinstance(caught.value, UnsupportedSyntaxError)
