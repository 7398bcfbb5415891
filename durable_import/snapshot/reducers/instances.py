"""Reducers for instances of classes written in Python whose natural way through pickle would run the class's own code.

Pickle makes an instance, and gives it its attributes once all of them are loaded. Meanwhile, in a cycle, it may be
asked for its hash (as a key of a dict that it refers to), ``__getattr__`` may look for attributes that are not there
yet, and a subclass of list or dict is filled through an overridden ``append`` or ``__setitem__``. Here instead:

- attributes are set by a state setter, past ``__getattr__`` and ``__setattr__``;
- subclasses of containers are filled by the methods of the builtin container, attributes first;
- subclasses of ``str``, ``int``, ``tuple``, ... are made by the builtin ``__new__``, and so are instances of other
  classes whose own ``__new__`` needs arguments;
- an instance whose class defines ``__hash__`` is a stand-in (``Incomplete``) until it has its attributes. If that is
  hashed, the snapshot is read twice: the second time the stand-ins know the hashes which the first reading gave.
  Not so for classes with slots or with a base written in C: their hash must not need what is in a cycle with them.

A class's own ``__reduce__``, ``__reduce_ex__``, ``__getnewargs__``, ``__getnewargs_ex__`` or entry in ``copyreg`` is
left to pickle; its ``__getstate__`` and ``__setstate__`` are called here.
"""

from __future__ import annotations

import copyreg
import inspect
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from functools import lru_cache
from types import MemberDescriptorType
from typing import Any

from durable_import.snapshot.load_context import current

Reduced = tuple[Any, ...]
Reducer = Callable[[Any], Any]

_HEAP_TYPE = 1 << 9
_CONTAINERS: tuple[type[Any], ...] = (Counter, defaultdict, OrderedDict, dict, list, set, deque)
_VALUES: dict[type[Any], Callable[[Any], Any]] = {
    str: str.__str__, bytes: bytes.__bytes__, int: int.__int__, float: float.__float__, complex: complex.__complex__,
    tuple: lambda value: tuple(tuple.__iter__(value)), frozenset: lambda value: frozenset(frozenset.__iter__(value)),
}  # fmt: skip
_BASES = (*_CONTAINERS, *_VALUES)
_OWN_WAYS = frozenset({"__getnewargs__", "__getnewargs_ex__"})
_FLAT = frozenset({int, str, bool, type(None), float, bytes, complex})


def reducer_for(cls: type) -> Reducer | None:
    """How instances of ``cls`` are saved, or None if pickle's own way is right."""
    if not cls.__flags__ & _HEAP_TYPE or cls in copyreg.dispatch_table or cls in _BASES:
        return None
    base = next((b for b in cls.__mro__ if b in _BASES), object)
    defined = {name for b in cls.__mro__[:-1] if b is not base for name in vars(b)}
    if cls.__reduce_ex__ is not base.__reduce_ex__ or cls.__reduce__ is not base.__reduce__ or defined & _OWN_WAYS:
        return None
    try:
        base.__new__(_without_del(cls) if "__del__" in defined else cls)  # type: ignore[call-overload]
    except TypeError:  # memory laid out by another base, written in C
        return None
    if base in _VALUES:
        return reduce_value
    return _reducer_of_plain(cls, defined) if base is object else reduce_container


def _reducer_of_plain(cls: type, defined: set[str]) -> Reducer | None:
    hashed = cls.__hash__ not in (None, object.__hash__)  # type: ignore[comparison-overlap]
    intercepts = bool(defined & {"__getattr__", "__getattribute__"}) or {"__setattr__", "__slots__"} <= defined
    made_by_own = "__new__" in defined
    if made_by_own and _can_be_called_bare(cls.__new__, cls):
        return reduce_by_own_new if hashed or intercepts else None
    if (hashed or intercepts) and _is_slotted_dataclass(cls):
        return reduce_slotted
    if hashed and _may_stand_in(cls):
        return reduce_hashed if intercepts or made_by_own else reduce_hashed_unless_flat
    return reduce_instance if hashed or intercepts or made_by_own else None


def _can_be_called_bare(new: Callable[..., Any], cls: type) -> bool:
    try:
        inspect.signature(new).bind(cls)
    except (TypeError, ValueError):  # needs more; or has no signature, being written in C
        return False
    return True


def _is_slotted_dataclass(cls: type) -> bool:
    """Whether instances are laid out in slots, by a dataclass that has no way of its own to be saved."""
    if "__dataclass_fields__" not in vars(cls) or cls.__dictoffset__ or not any("__slots__" in vars(b) for b in cls.__mro__):
        return False
    ways = (vars(b)[name] for b in cls.__mro__[:-1] for name in ("__getstate__", "__setstate__") if name in vars(b))
    return all(way.__module__ == "dataclasses" for way in ways)


def _may_stand_in(cls: type) -> bool:
    probe: Any = object.__new__(Incomplete)
    try:
        probe.__class__ = cls
    except TypeError:  # slots
        return False
    object.__setattr__(probe, "__class__", Incomplete)  # else the class's __del__ would be called
    return True


class _Quiet:
    """A first base that keeps a class's ``__del__`` and ``__init_subclass__`` from being called."""

    __slots__ = ()

    def __init_subclass__(cls, **details: Any) -> None:
        pass

    def __del__(self) -> None:
        pass


def _without_del(cls: type) -> type:
    """A class for a probe: laid out in memory as ``cls``."""
    made: type = type.__new__(type(cls), cls.__name__, (_Quiet, cls), {"__slots__": ()})
    return made


# --- plain instances -------------------------------------------------------------------------------------------------


def new_instance(cls: Any) -> Any:
    """An instance without attributes."""
    return object.__new__(cls)


def fill_instance(instance: Any, state: Any) -> None:
    """Give an instance its attributes, or to its ``__setstate__`` what its ``__getstate__`` gave."""
    if type(instance) is Incomplete:
        _end_standing_in(instance)
    if state is None:
        return
    set_state = getattr(type(instance), "__setstate__", None)
    if set_state is not None:
        set_state(instance, state)
        return
    attributes, slots = state if type(state) is tuple and len(state) == 2 else (state, None)
    if attributes:
        instance.__dict__.update((sys.intern(k) if type(k) is str else k, v) for k, v in attributes.items())
    for name, value in (slots or {}).items():
        _set_slot(instance, name, value)


def _set_slot(instance: Any, name: str, value: Any) -> None:
    for cls in type(instance).__mro__:
        descriptor = vars(cls).get(name)
        if type(descriptor) is MemberDescriptorType:
            descriptor.__set__(instance, value)
            return
    object.__setattr__(instance, name, value)


def reduce_instance(instance: Any) -> Reduced:
    """An instance by its attributes."""
    cls: Any = type(instance)
    return new_instance, (cls,), cls.__getstate__(instance), None, None, fill_instance


def fill_slots(instance: Any, state: tuple[Any, dict[str, Any]] | None) -> None:
    """Give an instance what it had by the names of its slots; a field that its class has no more is dropped."""
    set_state = getattr(type(instance), "__setstate__", None)
    if set_state is not None and set_state.__module__ != "dataclasses":
        set_state(instance, state)
        return
    cls: Any = type(instance)
    setters, has_dict = _setters_of(cls), cls.__dictoffset__
    for name, value in (state[1] if state else {}).items():
        put = setters.get(name)
        if put is not None:
            put(instance, value)
        elif has_dict:
            vars(instance)[name] = value


@lru_cache(maxsize=256)
def _setters_of(cls: type) -> dict[str, Callable[[Any, Any], None]]:
    """What sets each slot of a class, by its name."""
    found = {name: value for each in reversed(cls.__mro__) for name, value in vars(each).items()}
    return {name: value.__set__ for name, value in found.items() if type(value) is MemberDescriptorType}


def reduce_slotted(instance: Any) -> Reduced:
    """A dataclass in slots by the names of its fields: its own state, if it is frozen, goes by their order."""
    return new_instance, (type(instance),), object.__getstate__(instance), None, None, fill_slots


def new_by_own_new(cls: Any) -> Any:
    """What the class's ``__new__`` gives when it is called without arguments; it may be a singleton."""
    return cls.__new__(cls)


def reduce_by_own_new(instance: Any) -> Reduced:
    """As pickle does, an instance whose class controls how it is made."""
    cls: Any = type(instance)
    return new_by_own_new, (cls,), cls.__getstate__(instance), None, None, fill_instance


def new_value(cls: type, base: Any, content: Any) -> Any:
    """An instance of a subclass of ``str``, ``int``, ...; a class's own ``__new__`` is not called."""
    return base.__new__(cls, content)


def reduce_value(value: Any) -> Reduced:
    """An instance of a subclass of a builtin immutable class."""
    cls: Any = type(value)
    base: Any = next(b for b in cls.__mro__ if b in _VALUES)
    return new_value, (cls, base, _VALUES[base](value)), cls.__getstate__(value), None, None, fill_instance


# --- instances with a hash of their own ------------------------------------------------------------------------------


class Incomplete:
    """Stands for an instance until it has its attributes: it hashes without them, and compares by identity."""

    def __hash__(self) -> int:
        return current().early_hash(self, vars(self)["@number"])

    def __getattr__(self, name: str) -> Any:
        """Methods are those of the class to be; saved bound methods look for them."""
        cls: type = vars(self)["@class"]
        for base in cls.__mro__:
            if name in vars(base):
                found = vars(base)[name]
                return found.__get__(self, cls) if hasattr(type(found), "__get__") else found
        raise AttributeError(f"{cls.__name__!r} object has no attribute {name!r} yet: its snapshot is being loaded")


def new_hashed(cls: type) -> Any:
    """An instance that may be hashed before it has its attributes."""
    made = Incomplete()
    vars(made).update({"@class": cls, "@number": current().number_incomplete(made)})
    return made


def without_stand_in(instance: Any) -> Any:
    """What will be an instance of its class, still without its attributes, is one."""
    if type(instance) is Incomplete:
        _end_standing_in(instance)
    return instance


def _end_standing_in(instance: Any) -> None:
    cls = vars(instance)["@class"]
    vars(instance).clear()
    instance.__class__ = cls


def reduce_hashed(instance: Any) -> Reduced:
    """An instance by its attributes, with a stand-in meanwhile."""
    cls: Any = type(instance)
    state = cls.__getstate__(instance)
    new = new_instance if state is None else new_hashed  # without a state nothing would end the standing in
    return new, (cls,), state, None, None, fill_instance


def reduce_hashed_unless_flat(instance: Any) -> Any:
    """The same; but one with nothing but atoms cannot be in a cycle, and is left to pickle, which is faster."""
    return NotImplemented if _FLAT.issuperset(map(type, vars(instance).values())) else reduce_hashed(instance)


# --- subclasses of containers ----------------------------------------------------------------------------------------


def new_container(cls: type, base: Any, maxlen: int | None) -> Any:
    """An empty instance of a subclass of ``base``; ``maxlen`` is that of a deque."""
    made = base.__new__(cls)
    if base is deque:
        deque.__init__(made, (), maxlen)
    return made


def fill_container(container: Any, state: tuple[Any, Any, list[Any]]) -> None:
    """Give a container its attributes, then its contents; a ``__setstate__`` of its own finds the contents there."""
    attributes, factory, contents = state
    own = hasattr(type(container), "__setstate__")
    if not own:
        fill_instance(container, attributes)
    if isinstance(container, defaultdict):
        container.default_factory = factory
    if isinstance(container, list):
        list.extend(container, contents)
    elif isinstance(container, deque):
        deque.extend(container, contents)
    elif isinstance(container, set):
        set.update(container, contents)
    else:
        put = OrderedDict.__setitem__ if isinstance(container, OrderedDict) else dict.__setitem__
        for key, value in contents:
            put(container, key, value)
    if own:
        fill_instance(container, attributes)


def reduce_container(container: Any) -> Reduced:
    """An instance of a subclass of a builtin container."""
    cls: Any = type(container)
    base: Any = next(b for b in cls.__mro__ if b in _CONTAINERS)
    items: Iterable[Any] = base.items(container) if issubclass(base, dict) else base.__iter__(container)
    state = (cls.__getstate__(container), getattr(container, "default_factory", None), list(items))
    maxlen = container.maxlen if base is deque else None
    return new_container, (cls, base, maxlen), state, None, None, fill_container
