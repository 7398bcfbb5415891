"""Whether a handler may still raise its exception again, from an await in it."""

from __future__ import annotations

import ast
from textwrap import indent

import pytest

from durable_import.rewrite.analysis.node_paths import NodePaths
from durable_import.rewrite.analysis.raising import raises_behind

REACHED = {
    "behind it": "await x()\nraise",
    "on some path": "await x()\nif n > 2:\n  raise",
    "in the same statement": "raise Other(await x())",
    "in the loop that it is in": "for i in y:\n  if i:\n    raise\n  await x()",
    "behind a try that it is in": "try:\n  await x()\nexcept B:\n  log()\nraise",
    "by name in a handler of that": "try:\n  await x()\nexcept B:\n  raise e",
    "in its finally": "try:\n  await x()\nfinally:\n  raise Other() from e",
    "in its else": "try:\n  await x()\nexcept B:\n  pass\nelse:\n  raise",
    "behind a handler in the handler": "try:\n  y()\nexcept B:\n  await x()\nraise",
    "in a with": "with m:\n  await x()\nraise",
    "in the with that it begins": "with await x():\n  raise",
    "in a case": "match y:\n  case 1:\n    await x()\n    raise",
    "in an orelse": "while y:\n  await x()\nelse:\n  raise",
}
NOT_REACHED = {
    "there is none": "await x()",
    "before it": "if n > 2:\n  raise\nawait x()",
    "in another branch": "if y:\n  await x()\nelse:\n  raise",
    "behind a return": "if y:\n  await x()\n  return\nraise",
    "behind a continue": "await x()\ncontinue\nraise",
    "another exception's": "try:\n  await x()\nexcept B:\n  raise",
    "of a function in it": "await x()\ndef g():\n  raise",
    "in another case": "match y:\n  case 1:\n    await x()\n  case 2:\n    raise",
}


def is_reached(body: str) -> bool:
    tree = ast.parse(f"async def f():\n while z:\n  try:\n   pass\n  except E as e:\n{indent(body, '   ')}\n  raise")
    paths = NodePaths(tree.body[0]).by_path()
    (handler,) = (path for path, node in paths.items() if isinstance(node, ast.ExceptHandler) and node.name == "e")
    (place,) = (path for path, node in paths.items() if isinstance(node, ast.Await))
    return raises_behind(paths[handler], place[len(handler) + 1 :].split("."))


@pytest.mark.parametrize("body", REACHED.values(), ids=REACHED)
def test_it_may_raise(body: str) -> None:
    """There is a way from the await to a raise of the handler."""
    assert is_reached(body)


@pytest.mark.parametrize("body", NOT_REACHED.values(), ids=NOT_REACHED)
def test_it_does_not_raise(body: str) -> None:
    """The handler is left, or raises nothing, whatever stands elsewhere."""
    assert not is_reached(body)
