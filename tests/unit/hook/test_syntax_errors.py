"""What the compiler refuses is refused as it does: the same error, at the same place, in every version."""

from __future__ import annotations

import importlib
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from durable_import.hook import loader
from durable_import.hook.install import install
from tests.harness.imports import write

SOURCES = """
async def f():
    lazy import os
    await g()
---
try:
    lazy import os
except E: pass
---
class C:
    lazy import os
---
lazy from os import *
---
lazy from __future__ import annotations
---
async def f():
    try: pass
    finally:
        lazy from a import b
---
with a:
    lazy import b
---
if 1:
    lazy import b
---
def f():
    lazy import os
---
async def f():
    return [**await g() for x in y]
---
async def f():
    return {*await g(): 1 for x in y}
---
async def f():
    return {**x: 1 for x in await y}
---
async def f():
    return (**x for x in await y)
---
async def f():
    return {1: *x for x in await y}
---
async def f():
    g(*x for x in await y)
---
async def f():
    g(**x for x in await y)
---
def f():
    return [*await x for x in y]
---
async def f():
    return t'{await x}' 'y'
---
async def f():
    return t'{await x}' f'y'
---
async def f():
    return t'{yield}'
---
def f():
    return t'{await x}'
---
async def f():
  return t'{await x!z}'
---
async def f():
  return t'{}'
---
async def f():
    try: await x
    except A, B as e: pass
---
async def f():
    try: await x
    except* A, B: pass
---
async def f():
    try: await x
    except A, await B: await y
---
async def f():
    try: await x
    except*A: return 1
---
async def f():
    [(yield) for x in await y]
---
async def f():
  [x := await z for x in y]
---
class C:
  x = [await y for z in w]
---
async def f():
  class C:
    x = [await y for z in w]
---
async def f(x: await y): pass
---
async def f():
  def g(x: await y): pass
---
async def f():
  x: (await y) = 1
---
async def f():
  x: (yield) = 1
---
async def f():
  type X = await y
---
async def f():
  type X[T: (yield)] = y
---
async def f():
  def g[T=(await y)](): pass
---
async def f():
  class g[T](await y): pass
---
async def f():
 match await x:
  case y: pass
  case z: pass
---
async def f():
  await x
  nonlocal y
---
async def f():
  x = 1; await x; global x
---
async def f():
  break
---
async def f():
  for x in y:
   try: await z
   finally:
    continue
---
async def f():
  return lambda: [await x async for x in y]
---
f'{await x}'
---
await x
---
async def f():
  yield from x
---
async def f():
  yield 1; return 2
---
async def f():
  with (await x as y, await z as w): pass
---
async def f():
  __debug__ = await x
---
async def f():
  del f()[await x], (await y)
---
async def f():
  (await x) = 3
---
async def f():
  print(await x for x in y, 1)
---
async def f():
  f(a=1, a=await x)
---
async def f():
  import x.y as await
---
async def f(a, a): await x
---
async def f():
  async def g(): nonlocal zz
  await g()
---
async def f():
   *await x
---
async def f():
   return *await x, *y
---
async def f():
   x[*await y, 1:2, *z]
---
async def f():
  return await x if y
---
async def f():
   from a import *
   await x
---
async def f():
   x: int
   global x
   await y
---
async def f():
   try: await x
   except: pass
   except A: pass
---
async def f():
  def g():
    try: return await x
    finally: pass
"""


def outcome(source: str, folder: Path) -> tuple[Any, ...]:
    """What importing a module of that source comes to: the error, or nothing."""
    write(folder, {"m_refused.py": source})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module("m_refused")
    except SyntaxError as error:
        return type(error), error.msg, error.filename, error.lineno, error.offset, error.end_lineno, error.end_offset, error.text
    except (NameError, TypeError, ImportError) as error:  # it was compiled, and does not make sense
        return (type(error),)
    finally:
        sys.modules.pop("m_refused", None)
    return ()


@pytest.mark.parametrize("variant", ["plain", "fast"])
@pytest.mark.parametrize("source", SOURCES.strip().split("\n---\n"))
def test_refused_as_natively(source: str, variant: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that suspends within what the compiler refuses, old syntax and new, also that of later versions."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    native = outcome(source, folder)
    install(["m_refused"])
    if variant == "fast":
        monkeypatch.setattr(loader, "ON", ["a runtime"])
    assert outcome(source, folder) == native
