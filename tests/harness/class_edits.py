"""Edits of classes, and what their objects are afterwards: made in one text of a module, seen in the other."""

from __future__ import annotations

from typing import Any, NamedTuple

HEAD = """
import attr, attrs, dataclasses, enum, msgspec, pydantic, pydantic.dataclasses
from collections import namedtuple
from dataclasses import InitVar, dataclass, field
from functools import cached_property, partial
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr
from typing import Any, ClassVar, Generic, NamedTuple, TypedDict, TypeVar
from durable_import import renamed
X = TypeVar("X")
"""
SLOTTED = "@dataclass(slots=True)\nclass T:"
FROZEN = "@dataclass(frozen=True)\nclass T:"
FROZEN_SLOTTED = "@dataclass(frozen=True, slots=True)\nclass T:"
DATA = "@dataclass\nclass T:"
ATTRS = "@attrs.define\nclass T:"
MODEL = "class T(BaseModel):"
MAPPED = """
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column
class B(MappedAsDataclass, DeclarativeBase): pass
class T(B): __tablename__ = "t";"""
STRUCT = "class T(msgspec.Struct):"
TUPLE = "class T(NamedTuple):"
OPEN = f'{MODEL}\n model_config = ConfigDict(extra="allow")\n'


class Edit(NamedTuple):
    """``before`` and ``after``: the text of the module; ``made``: what is saved; ``seen``: of it, as ``x``, afterwards."""

    before: str
    made: str
    after: str
    seen: str
    expected: Any


EDITS = {
    # dataclasses
    "in slots now": Edit(f"{DATA} a: int", "T(1)", f"{SLOTTED} a: int; b: int = 2", "x.a, x.b", (1, 2)),
    "in frozen slots now": Edit(f"{FROZEN} a: int", "T(1)", f"{FROZEN_SLOTTED} a: int; b: int = 2", "x.a, x.b", (1, 2)),
    "in slots no more": Edit(f"{FROZEN_SLOTTED} a: int", "T(1)", f"{FROZEN} a: int; b: int = 2", "x.a, x.b", (1, 2)),
    "slots gone": Edit(f"{SLOTTED} a: int; b: int", "T(1, 2)", f"{SLOTTED} b: int", "x", "T(b=2)"),
    "new in a base": Edit(
        "@dataclass\nclass B: a: int\n@dataclass\nclass T(B): c: int = 0",
        "T(1, 2)",
        "@dataclass\nclass B: a: int; n: int = 9\n@dataclass\nclass T(B): c: int = 0",
        "x",
        "T(a=1, n=9, c=2)",
    ),
    "new in the base of a plain class": Edit(
        f"{DATA} a: int\nclass U(T): pass",
        "U(1)",
        f"{DATA} a: int; n: list = field(default_factory=list)\nclass U(T): pass",
        "type(x) is U, x.a, x.n",
        (True, 1, []),
    ),
    "a hash of new fields": Edit(
        f"{FROZEN} a: int", "{T(1): T(2)}", f"{FROZEN} a: int; b: tuple = field(default_factory=tuple)", "x[T(1)]", "T(a=2, b=())"
    ),
    "a container": Edit(
        "@dataclass\nclass T(list): a: int = 1",
        "T(5)",
        "@dataclass\nclass T(list): a: int = 1; b: list = field(default_factory=list)",
        "x.a, x.b",
        (5, []),
    ),
    "an exception": Edit(
        "@dataclass\nclass T(Exception): a: int",
        "T(5)",
        "@dataclass\nclass T(Exception): a: int; b: list = field(default_factory=list)",
        "x.a, x.b",
        (5, []),
    ),
    "a nested class": Edit(
        "class O:\n @dataclass\n class T: a: int", "O.T(1)", "class O:\n @dataclass\n class T: a: int; b: int = 2", "x.b", 2
    ),
    "a generic": Edit(
        "@dataclass\nclass T(Generic[X]): a: X", "T[int](1)", "@dataclass\nclass T(Generic[X]): a: X; b: int = 3", "x.b", 3
    ),
    "an InitVar is no field": Edit(f"{DATA} a: int", "T(1)", f"{DATA} a: int; s: InitVar[int]", "vars(x)", {"a": 1}),
    "no dataclass before": Edit("class T:\n def __init__(s): s.a = 5", "T()", f"{DATA} a: int; b: int = 3", "x", "T(a=5, b=3)"),
    "no dataclass today": Edit(f"{DATA} a: int", "T(1)", "class T: pass", "x.a", 1),
    "one of attrs today": Edit(f"{DATA} a: int", "T(1)", f"{ATTRS} a: int; b: int = 3", "x", "T(a=1, b=3)"),
    "a model today": Edit(
        f"{DATA} a: int", "T(1)", f"{MODEL} a: int; b: int = 3", "x, x.model_fields_set", "(T(a=1, b=3), {'a'})"
    ),
    "a field with another name": Edit(
        f"{DATA} a: int", "T(1)", f"{DATA} b: int\nrenamed('shapes:T.a', 'shapes:T.b')", "x", "T(b=1)"
    ),
    "a slot with another name": Edit(
        f"{SLOTTED} a: int", "T(1)", f"{SLOTTED} b: int\nrenamed('shapes:T.a', 'shapes:T.b')", "x", "T(b=1)"
    ),
    "its own way before": Edit(
        f"{DATA}\n a: int\n def __reduce__(s): return T, (s.a + 1,)",
        "T(1)",
        f"{DATA}\n a: int\n b: int = 7\n def __reduce__(s): return T, (s.a + 1,)",
        "x",
        "T(a=2, b=7)",
    ),
    "its own setter today": Edit(
        f"{SLOTTED} a: int",
        "T(1)",
        f"{SLOTTED}\n a: int\n b: int\n def __setstate__(s, st): s.a = st[1]['a']; s.b = 5",
        "x",
        "T(a=1, b=5)",
    ),
    "mapped by SQLAlchemy": Edit(
        f"{MAPPED} id: Mapped[int] = mapped_column(primary_key=True); a: Mapped[int]",
        "T(1, 2)",
        f"{MAPPED} id: Mapped[int] = mapped_column(primary_key=True); a: Mapped[int]; c: Mapped[int] = mapped_column(default=3)",
        "x.a, x.id, 'c' in vars(x)",
        (2, 1, False),
    ),
    # attrs
    "attrs: of another field": Edit(
        f"{ATTRS} a: int",
        "T(2)",
        f"{ATTRS}\n a: int\n b: int = attrs.field()\n @b.default\n def _(s): return s.a * 2",
        "x",
        "T(a=2, b=4)",
    ),
    "attrs: converted": Edit(
        f"{ATTRS} a: int", "T(2)", f"{ATTRS} a: int; b: str = attrs.field(default=3, converter=str)", "x", "T(a=2, b='3')"
    ),
    "attrs: new in the base of a plain class": Edit(
        f"{ATTRS} a: int\nclass U(T): pass", "U(1)", f"{ATTRS} a: int; n: int = 9\nclass U(T): pass", "x.a, x.n", (1, 9)
    ),
    "attrs: no slots": Edit(
        f"{ATTRS} a: int", "T(1)", "@attrs.define(slots=False)\nclass T: a: int; b: int = 2", "x.a, x.b", (1, 2)
    ),
    "attrs: an exception": Edit(
        "@attrs.define\nclass T(Exception): a: int", "T(1)", "@attrs.define\nclass T(Exception): a: int; b: int = 2", "x.b", 2
    ),
    "attrs: a dataclass today": Edit(f"{ATTRS} a: int", "T(1)", f"{SLOTTED} a: int; b: int = 2", "x", "T(a=1, b=2)"),
    "attrs: another name": Edit(f"{ATTRS} a: int", "T(1)", f"{ATTRS} b: int\nrenamed('shapes:T.a', 'shapes:T.b')", "x", "T(b=1)"),
    # pydantic
    "model: a private attribute": Edit(
        f"{MODEL} a: int; _p: int = PrivateAttr(default=3)",
        "T(a=1)",
        f"{MODEL} a: int; _p: int = PrivateAttr(default=4); _q: list = PrivateAttr(default_factory=list)",
        "x._p, x._q",
        (3, []),
    ),
    "model: the first private attribute": Edit(
        f"{MODEL} a: int", "T(a=1)", f"{MODEL} a: int; _q: list = PrivateAttr(default_factory=list)", "x._q", []
    ),
    "model: no private attribute": Edit(
        f"{MODEL} a: int; _p: int = PrivateAttr(default=3)", "T(a=1)", f"{MODEL} a: int", "x == T(a=1)", True
    ),
    "model: a field less": Edit(
        f"{MODEL} a: int; z: int",
        "T(a=1, z=2)",
        f"{MODEL} a: int",
        "x == T(a=1), dict(x), x.model_fields_set",
        (True, {"a": 1}, {"a"}),
    ),
    "model: an extra is a field": Edit(f"{OPEN} a: int", "T(a=1, z=2)", f"{OPEN} a: int\n z: int", "x.z, x.model_extra", (2, {})),
    "model: takes extras": Edit(f"{MODEL} a: int", "T(a=1)", f"{OPEN} a: int", "x.model_extra", {}),
    "model: a hash of new fields": Edit(
        f"{MODEL}\n model_config = ConfigDict(frozen=True)\n a: int",
        "{T(a=1): 1}",
        f"{MODEL}\n model_config = ConfigDict(frozen=True)\n a: int\n b: int = 3",
        "x[T(a=1)]",
        1,
    ),
    "model: of the data": Edit(
        f"{MODEL} a: int", "T(a=1)", f"{MODEL} a: int; b: int = Field(default_factory=lambda d: d['a'] + 1)", "x.b", 2
    ),
    "model: a generic": Edit(
        "class T(BaseModel, Generic[X]): a: X",
        "T[int](a=1)",
        "class T(BaseModel, Generic[X]): a: X; b: int = 3",
        "type(x) is T[int], x.a, x.b",
        (True, 1, 3),
    ),
    "model: properties, and what a library notes": Edit(
        f"{MODEL}\n a: int\n @cached_property\n def q(s): return [s.a]",
        "noted(T(a=1))",
        f"{MODEL}\n a: int\n c: int = 3\n @cached_property\n def q(s): return [s.a]",
        "vars(x)",
        {"q": [1], "_note": 5, "a": 1, "c": 3},
    ),
    "model: generics in one another": Edit(
        "class T(BaseModel, Generic[X]): a: X",
        "T[T[int]](a=T[int](a=1))",
        "class T(BaseModel, Generic[X]): a: X; b: int = 3",
        "type(x.a) is T[int], x.b, x.a.b",
        (True, 3, 3),
    ),
    "model: another name": Edit(
        f"{MODEL} a: int", "T(a=1)", f"{MODEL} b: int\nrenamed('shapes:T.a', 'shapes:T.b')", "x", "T(b=1)"
    ),
    "pydantic.dataclass in slots": Edit(
        "@pydantic.dataclasses.dataclass(slots=True, frozen=True)\nclass T: a: int",
        "T(1)",
        "@pydantic.dataclasses.dataclass(slots=True, frozen=True)\nclass T: z: int = 2; a: int = 0",
        "x",
        "T(z=2, a=1)",
    ),
    # msgspec
    "struct: other attributes": Edit(
        "class T(msgspec.Struct, dict=True): a: int",
        "with_z(T(1))",
        "class T(msgspec.Struct, dict=True): a: int; b: int = 2",
        "x.a, x.b, x.z",
        (1, 2, 9),
    ),
    "struct: a cycle": Edit(f"{STRUCT} a: Any", "in_circle(T)", f"{STRUCT} a: Any; b: int = 2", "x.a[0] is x, x.b", (True, 2)),
    "struct: __post_init__ has run": Edit(
        f"{STRUCT}\n a: int\n def __post_init__(s): s.a += 1",
        "T(1)",
        f"{STRUCT}\n a: int\n def __post_init__(s): s.a += 1",
        "x.a",
        2,
    ),
    "struct: a dataclass today": Edit(f"{STRUCT} a: int", "T(1)", f"{DATA} a: int; b: int = 2", "x", "T(a=1, b=2)"),
    # named tuples
    "tuple: one more": Edit(f"{TUPLE} a: int; b: int", "T(1, 2)", f"{TUPLE} a: int; b: int; c: int = 3", "x", "T(a=1, b=2, c=3)"),
    "tuple: one less": Edit(f"{TUPLE} a: int; b: int; c: int", "T(1, 2, 3)", f"{TUPLE} a: int; c: int", "x", "T(a=1, c=3)"),
    "tuple: another order": Edit(f"{TUPLE} a: int; b: int", "T(1, 2)", f"{TUPLE} b: int; a: int", "x", "T(b=2, a=1)"),
    "tuple: another one": Edit(f"{TUPLE} a: int; b: int", "T(1, 2)", f"{TUPLE} a: int; z: int = 5", "x", "T(a=1, z=5)"),
    "tuple: another name": Edit(
        f"{TUPLE} a: int; b: int", "T(1, 2)", f"{TUPLE} a: int; z: int\nrenamed('shapes:T.b', 'shapes:T.z')", "x", "T(a=1, z=2)"
    ),
    "tuple: of collections": Edit(
        "T = namedtuple('T', 'a b')", "T(1, 2)", "T = namedtuple('T', 'b a c', defaults=[3])", "x", "T(b=2, a=1, c=3)"
    ),
    "tuple: derived": Edit(
        "class T(namedtuple('B', 'a b')): pass",
        "with_z(T(1, 2))",
        "class T(namedtuple('B', 'b a')): pass",
        "x, x.z",
        "(T(b=2, a=1), 9)",
    ),
    "tuple: its own __new__": Edit(
        "class T(namedtuple('B', 'a b')):\n def __new__(c, a, b=2): return super().__new__(c, a, b)",
        "T(1)",
        "class T(namedtuple('B', 'b a')):\n def __new__(c, a, b=2): return super().__new__(c, b, a)",
        "x",
        "T(b=2, a=1)",
    ),
    "tuple: a key": Edit(f"{TUPLE} a: int; b: int", "{T(1, 2): 7}", f"{TUPLE} b: int; a: int; c: int = 3", "x[T(a=1, b=2)]", 7),
    "tuple: a cycle": Edit(f"{TUPLE} a: Any", "in_circle(T)", f"{TUPLE} z: int = 1; a: Any = 2", "x.a[0] is x, x.z", (True, 1)),
    "tuple: a dataclass today": Edit(f"{TUPLE} a: int", "T(1)", f"{DATA} a: int; b: int = 2", "x", "T(a=1, b=2)"),
    "a typed dict": Edit("class T(TypedDict): a: int", "T(a=1)", "class T(TypedDict): a: int; b: int", "x", {"a": 1}),
    # plain classes
    "plain: a slot less": Edit(
        "class T:\n __slots__ = 'a', 'b'\n def __init__(s): s.a, s.b = 1, 2", "T()", "class T: __slots__ = 'a',", "x.a", 1
    ),
    "plain: in slots": Edit("class T:\n def __init__(s): s.a, s.z = 1, 2", "T()", "class T: __slots__ = 'a', 'b'", "x.a", 1),
    "plain: a __new__": Edit(
        "class T:\n def __init__(s): s.a = 1", "T()", "class T:\n def __new__(c, z): return object.__new__(c)", "x.a", 1
    ),
    "plain: another name": Edit(
        "class T:\n def __init__(s): s.a = 1", "T()", "class T: pass\nrenamed('shapes:T.a', 'shapes:T.b')", "x.b", 1
    ),
    "plain: its setter": Edit(
        "class T:\n def __init__(s): s.a = 1", "T()", "class T:\n def __setstate__(s, st): s.a = st['a'] + 1", "x.a", 2
    ),
    # methods
    "a bound method with another name": Edit(
        "class T:\n def f(s): return 1", "T().f", "class T:\n def g(s): return 2\nrenamed('shapes:T.f', 'shapes:T.g')", "x()", 2
    ),
    "a class method with another name": Edit(
        "class T:\n @classmethod\n def f(c): return 1",
        "T.f",
        "class T:\n @classmethod\n def g(c): return 2\nrenamed('shapes:T.f', 'shapes:T.g')",
        "x()",
        2,
    ),
    "a function with another name": Edit(
        "def f(a): return a", "partial(f, 1)", "def g(a): return a + 1\nrenamed('shapes:f', 'shapes:g')", "x()", 2
    ),
    "a class around with another name": Edit(
        "class O:\n class T: pass", "O.T()", "class P:\n class T: pass\nrenamed('shapes:O', 'shapes:P')", "type(x) is P.T", True
    ),
}

REFUSED = {
    "required": (f"{DATA} a: int", "T(1)", f"{DATA} a: int; b: int", "without the field 'b', which is new and has no default"),
    "of the base of a plain class": (
        f"{DATA} a: int\nclass U(T): pass",
        "U(1)",
        f"{DATA} a: int; b: int\nclass U(T): pass",
        "'b'",
    ),
    "made by __post_init__": (
        f"{DATA} a: int",
        "T(1)",
        f"{DATA}\n a: int\n b: int = field(init=False)\n def __post_init__(s): s.b = 1",
        "'b'",
    ),
    "made by __attrs_post_init__": (
        f"{ATTRS} a: int",
        "T(1)",
        f"{ATTRS}\n a: int\n b: int = attrs.field(init=False)\n def __attrs_post_init__(s): s.b = 1",
        "'b'",
    ),
    "made by model_post_init": (
        f"{MODEL} a: int",
        "T(a=1)",
        f"{MODEL}\n a: int\n _b: int = PrivateAttr()\n def model_post_init(s, c): s._b = 1",
        "'_b'",
    ),
    "no dataclass before": ("class T:\n def __init__(s): s.a = 5", "T()", f"{DATA} a: int; b: int", "'b'"),
    "needed by a hash": (f"{FROZEN} a: int", "{T(1): 2}", f"{FROZEN} a: int; b: int", "'b'"),
    "an exception": ("@dataclass\nclass T(Exception): a: int", "T(5)", "@dataclass\nclass T(Exception): a: int; b: int", "'b'"),
    "tuple": (f"{TUPLE} a: int", "T(1)", f"{TUPLE} a: int; b: int", "'b'"),
    "a tuple today": (f"{DATA} a: int", "T(1)", f"{TUPLE} a: int", "objects of T, which the class of today cannot have"),
    "an abstract class today": (
        f"{DATA} a: int",
        "T(1)",
        "import abc\n@dataclass\nclass T(abc.ABC):\n a: int\n @abc.abstractmethod\n def f(s): ...",
        "abstract class T",
    ),
    "a struct today": (f"{DATA} a: int", "T(1)", f"{STRUCT} a: int", "objects of T, which the class of today cannot have"),
}

GONE = {
    "class": ("class T: pass", "T()", "", 'renamed("shapes:T", "shapes:NAME")'),
    "dataclass": (f"{DATA} a: int", "T(1)", "", 'renamed("shapes:T", "shapes:NAME")'),
    "dataclass that is called something else": (
        f"{DATA} a: int",
        "T(1)",
        "@dataclass\nclass U: a: int",
        'renamed("shapes:T", "shapes:U")',
    ),
    "nested class": ("class O:\n class T: pass", "O.T()", "class O: pass", 'renamed("shapes:O.T", "shapes:O.NAME")'),
    "function": ("def f(): pass", "f", "", 'renamed("shapes:f", "shapes:NAME")'),
    "method": ("class T:\n def f(s): pass", "T().f", "class T: pass", 'renamed("shapes:T.f", "shapes:T.NAME")'),
    "static method": (
        "class T:\n @staticmethod\n def f(): pass",
        "T.f",
        "class T: pass",
        'renamed("shapes:T.f", "shapes:T.NAME")',
    ),
}


def in_circle(cls: Any) -> Any:
    """An object that a list in it has."""
    found: list[Any] = []
    found.append(cls(found))
    return found[0]


def noted(value: Any) -> Any:
    """A model of which a property is known, and something else is noted in it."""
    assert value.q
    vars(value)["_note"] = 5
    return value


def with_z(value: Any) -> Any:
    """An object with one attribute more."""
    value.z = 9
    return value
