"""Classes that cannot be found by name, and the small objects found inside them."""

from __future__ import annotations

import abc
import dataclasses
import enum
import functools
import operator
import pickle
import types
import typing
import weakref
from typing import Any, Generic, TypeVar

import pytest

from tests.harness.pickling import dumps, restored

T = TypeVar("T")


def test_identity_of_a_class() -> None:
    """One class, whatever refers to it."""

    class Local:
        pass

    first, second, cls = restored((Local(), Local(), Local))
    assert type(first) is type(second) is cls
    assert (cls.__name__, cls.__module__) == ("Local", __name__)
    assert cls.__qualname__ == Local.__qualname__


def test_classes_by_name_stay_themselves() -> None:
    """Also those of the interpreter that only ``types`` names."""
    for cls in (int, type(None), type(...), types.FunctionType, types.GeneratorType, types.MethodType, pytest.Item):
        assert restored(cls) is cls


def test_metaclass_and_its_hooks() -> None:
    """The class was made already: no hook runs again, not even one that needs arguments."""
    calls: list[str] = []

    class Meta(type):
        def __new__(mcs, name: str, bases: Any, namespace: Any, *, key: int) -> Any:
            calls.append(f"new {key}")
            return super().__new__(mcs, name, bases, namespace)

        def __init__(cls, name: str, bases: Any, namespace: Any, **_: int) -> None:
            super().__init__(name, bases, namespace)

        def shout(cls) -> str:
            return cls.__name__.upper()

    class Named:
        def __set_name__(self, owner: type, name: str) -> None:
            calls.append(name)

    class Local(metaclass=Meta, key=1):
        attribute = Named()

    cls, calls_again = restored((Local, calls))
    assert cls.shout() == "LOCAL"
    assert calls == calls_again == ["new 1", "attribute"]


def test_abstract_classes() -> None:
    """Abstractness and registered subclasses hold."""

    class Shape(abc.ABC):
        @property
        @abc.abstractmethod
        def area(self) -> int: ...

    class Square(Shape):
        area = 4

    class Other:
        pass

    Shape.register(Other)
    shape, square, other = restored((Shape, Square, Other))
    with pytest.raises(TypeError, match="abstract"):
        shape()
    assert isinstance(square(), shape)
    assert issubclass(other, shape)
    assert not issubclass(int, shape)


def test_generic_subclass() -> None:
    """Parameters and aliases work."""

    class Box(Generic[T]):
        def __init__(self, value: T) -> None:
            self.value = value

    class IntBox(Box[int]):
        pass

    box, int_box, alias = restored((Box, IntBox, Box[str]))
    assert typing.get_args(int_box.__orig_bases__[0]) == (int,)
    assert box.__parameters__ == (T,)
    assert alias("x").value == "x"
    assert typing.get_origin(alias) is box


def test_enum_with_its_own_init() -> None:
    """It does not run again; aliases, flags' combinations and other attributes hold."""
    made: list[str] = []

    class Planet(enum.Enum):
        EARTH = (5, 6)
        MARS = (6, 3)

        def __init__(self, mass: int, radius: int) -> None:
            made.append(self.name)
            self.mass = mass
            self.extra = [radius]

        @property
        def ratio(self) -> float:
            return self.mass / self.extra[0]

    class Access(enum.Flag):
        R = enum.auto()
        W = enum.auto()
        RW = R | W

    earth, access, made_again = restored((Planet.EARTH, Access.RW, made))
    assert made_again == ["EARTH", "MARS"]
    assert (earth.mass, earth.ratio, earth.value) == (5, 5 / 6, (5, 6))
    assert type(earth)((6, 3)).name == "MARS"
    assert list(type(earth).__members__) == ["EARTH", "MARS"]
    assert access is type(access).R | type(access).W
    assert ~type(access).R is type(access).W


def test_enum_whose_values_are_not_its_contents() -> None:
    """A custom ``__new__`` sets ``_value_``."""

    class Coded(str, enum.Enum):  # noqa: UP042  # the form in question
        A = "a"
        B = "b"

        def __new__(cls, text: str) -> Any:
            self = str.__new__(cls, text)
            self._value_ = ord(text)
            return self

    a = restored(Coded.A)
    assert (a, a.value) == ("a", 97)
    assert type(a)(98).name == "B"


def test_dataclass_corners() -> None:
    """Inheritance, keyword-only and initial-only fields, own methods, hashes."""

    @dataclasses.dataclass
    class Base:
        a: int
        start: dataclasses.InitVar[int] = 3
        kind: typing.ClassVar[str] = "k"

        def __post_init__(self, start: int) -> None:
            self.b = start

        def __repr__(self) -> str:
            return "own"

    @dataclasses.dataclass(unsafe_hash=True, kw_only=True)
    class Derived(Base):
        c: list[int] = dataclasses.field(default_factory=list, hash=False, metadata={"m": 1})

    @dataclasses.dataclass(slots=True, order=True)
    class Slotted:
        x: int = 1

    value, cls, slotted = restored((Derived(1, c=[2]), Derived, Slotted(4)))
    assert (value.a, value.b, value.c, value.kind) == (1, 3, [2], "k")
    assert hash(cls(1)) == hash(cls(1, c=[5]))
    assert repr(Base(1)) == repr(restored(Base)(1)) == "own"
    assert dataclasses.fields(cls)[-1].metadata == {"m": 1}
    assert not hasattr(slotted, "__dict__")
    assert type(slotted)() < slotted
    assert dataclasses.replace(slotted, x=9).x == 9


def test_class_body_closures() -> None:
    """Methods share the enclosing function's variables with what else is saved."""
    count = [0]

    class Counter:
        def up(self) -> int:
            count[0] += 1
            return count[0]

        @functools.cached_property
        def once(self) -> int:
            return self.up()

    counter, shared = restored((Counter(), count))
    assert (counter.up(), shared) == (1, [1])
    assert (counter.once, counter.once) == (2, 2)


def test_cells() -> None:
    """Empty ones, and one that holds itself."""
    empty, ring = types.CellType(), types.CellType()
    ring.cell_contents = [ring]
    empty, ring = restored((empty, ring))
    with pytest.raises(ValueError, match="empty"):
        _ = empty.cell_contents
    assert ring.cell_contents[0] is ring


class Holder:
    """Something that can be referred to weakly, with methods."""

    def __init__(self) -> None:
        self.me = weakref.ref(self)
        self.other: Any = None

    def method(self) -> Holder:
        return self

    def shadowed(self) -> str:
        return "of the class"


def decorated(function: Any) -> Any:
    """Changes the function without telling its name."""

    def wrapper(self: Any) -> Any:
        return "wrapped", function(self)

    return wrapper


Holder.wrapped = decorated(Holder.method)  # type: ignore[attr-defined]


def test_bound_methods() -> None:
    """Whatever the name of their function leads to."""
    holder: Any = Holder()
    holder.shadowed = "something else"
    methods = (holder.method, holder.wrapped, Holder.shadowed.__get__(holder))
    holder, method, wrapped, shadowed = restored((holder, *methods))
    assert method() is holder
    assert wrapped() == ("wrapped", holder)
    assert shadowed() == "of the class"


def test_weak_references() -> None:
    """They refer to the restored object if it is there, and are dead otherwise."""
    holder, gone = Holder(), Holder()
    dead = weakref.ref(gone)
    del gone
    values = weakref.WeakValueDictionary({"k": holder})
    keys = weakref.WeakKeyDictionary({holder: "v"})
    everything = (holder, dead, weakref.proxy(holder), weakref.WeakSet([holder]), values, keys)
    holder, dead, proxy, members, values, keys = restored(everything)
    assert holder.me() is holder
    assert dead() is None
    assert proxy.method() is holder
    assert (list(members), values["k"], keys[holder]) == ([holder], holder, "v")
    assert restored(weakref.ref(Holder())) is not None


def test_weak_method() -> None:
    """Bound again to the restored object."""
    holder = Holder()
    holder, reference = restored((holder, weakref.WeakMethod(holder.method)))
    assert reference()() is holder


@functools.lru_cache
def cached(x: int) -> int:
    """At module level: by name."""
    return x


def test_wrappers() -> None:
    """Module-level caches by name, local ones again and empty; operators natively."""

    @functools.lru_cache(maxsize=3)
    def local(x: int) -> int:
        return local(x - 1) + 1 if x else 0

    local_again, module_level = restored((local, cached))
    assert module_level is cached
    assert local_again(5) == 5
    assert local_again.cache_parameters() == {"maxsize": 3, "typed": False}
    assert restored(operator.itemgetter(1))("ab") == "b"
    assert restored(functools.partial(int, base=2))("11") == 3
    assert restored(types.SimpleNamespace(a=1)).a == 1
    assert restored(list[int]) == list[int]
    assert restored(int | str) == int | str


def test_type_variables() -> None:
    """By name if that leads to them, else with their bounds."""
    local = TypeVar("local", bound=int)
    same, again, twice = restored((T, local, local))
    assert same is T
    assert again is twice
    assert (again.__name__, again.__bound__) == ("local", int)


def test_sentinels_of_dataclasses() -> None:
    """They are compared by identity."""
    assert restored(dataclasses.MISSING) is dataclasses.MISSING


def test_nameless_builtin_class_is_refused() -> None:
    """With its name in the message."""
    with pytest.raises(pickle.PicklingError, match="list_iterator"):
        dumps(type(iter([])))


def test_local_generic_classes() -> None:
    """With the parameters it had, whether ``Generic`` is its only base or not."""

    class Plain(Generic[T]):
        held: T

    class Derived(Plain[int]):
        pass

    plain, derived = restored((Plain, Derived))
    assert plain.__parameters__ == (T,)
    assert plain[int].__args__ == (int,)
    assert derived.__bases__ == (plain,)
    assert derived.__orig_bases__ == (plain[int],)


def test_local_type_aliases() -> None:
    """Those of a ``type`` statement inside a function; Python 3.11 has none."""
    if hasattr(typing, "TypeAliasType"):
        plain = typing.TypeAliasType("plain", list[int])
        general = typing.TypeAliasType("general", dict[str, T], type_params=(T,))  # type: ignore[valid-type]
        again, general_again = restored((plain, general))
        assert (again.__name__, again.__module__, again.__value__) == ("plain", __name__, list[int])
        assert general_again.__type_params__ == (T,)


def test_defaults_of_type_variables() -> None:
    """Those of Python 3.13, None included; older versions have none."""
    if hasattr(typing, "NoDefault"):
        for default in (int, None):
            variable = TypeVar("variable", default=default)  # type: ignore[call-arg, misc, valid-type, unused-ignore]
            assert restored(variable).__default__ is default  # type: ignore[attr-defined, unused-ignore]
        assert not restored(TypeVar("variable")).has_default()
