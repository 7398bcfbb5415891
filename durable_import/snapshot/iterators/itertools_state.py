"""Reducers for enumerate, zip, map, filter, reversed, iter(callable, sentinel), and for itertools.

The form of each is the same in every Python version: the native type and what to make it of, wherever it can be made where it
stood, or else one of ``combinatorics`` and ``tee`` in its place. The state of itertools comes from ``pythons.iterators``, that of
the builtins from their ``__reduce__``. No iterator is asked for its iterator again (a second ``__iter__`` call on a user's
object, an error if it has none): ``Exactly`` hands over the very one. No code of the program runs when they are made.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterator
from pickle import PicklingError
from typing import Any

from ...pythons.iterators import ABSENT, BATCHED_HAS_STRICT, GROUP, MAP_HAS_STRICT, TEE, TEE_LINK, read, set_state
from .combinatorics import Combinations, CombinationsWithReplacement, Permutations, Product, restore_choices
from .feeds import Exactly, Keyed, Prepended, Sized, unprepended
from .tee import Tee, TeeLink, reduce_link

Reduced = tuple[Any, ...] | str


def restore_over(kind: type, before: tuple[Any, ...], iterators: tuple[Any, ...], after: tuple[Any, ...]) -> Any:
    """``kind(*before, *iterators, *after)``; an empty tuple among the iterators stands for a finished one."""
    return kind(*before, *[x if type(x) is tuple else Exactly(x) for x in iterators], *after)


def _over(kind: type, before: Any, iterators: Any, after: Any = ()) -> Reduced:
    return restore_over, (kind, tuple(before), tuple(iterators), tuple(after))


# --- builtins --------------------------------------------------------------------------------------------------------


def _reduce_enumerate(iterator: Any) -> Reduced:
    kind, (inner, count) = iterator.__reduce__()
    return _over(kind, (), (inner,), (count,))


def _reduce_filter(iterator: Any) -> Reduced:
    kind, (function, inner) = iterator.__reduce__()
    return _over(kind, (function,), (inner,))


def restore_zip(iterators: tuple[Any, ...], strict: bool) -> Any:
    """``zip`` over these very iterators."""
    return zip(*map(Exactly, iterators), strict=strict)


def _reduce_zip(iterator: Any) -> Reduced:
    _, iterators, *strict = iterator.__reduce__()
    return restore_zip, (iterators, bool(strict))


def restore_map(function: Any, iterators: tuple[Any, ...], strict: bool) -> Any:
    """``map`` over these very iterators; until 3.13 it cannot be strict itself, so it is over a strict ``zip``."""
    sources = list(map(Exactly, iterators))
    if not strict:
        return map(function, *sources)
    if MAP_HAS_STRICT:
        return map(function, *sources, strict=True)  # type: ignore[call-overload]
    return itertools.starmap(function, zip(*sources, strict=True))


def _reduce_map(iterator: Any) -> Reduced:
    _, (function, *iterators), *strict = iterator.__reduce__()
    return restore_map, (function, tuple(iterators), bool(strict))


def restore_reversed(sequence: Any, length: int) -> Any:
    """``reversed`` over the first ``length`` items of ``sequence``, which in a cycle may not have them yet."""
    return reversed(sequence if type(sequence) is str and len(sequence) == length else Sized(sequence, length))


def _reduce_reversed(iterator: Any) -> Reduced:
    _, (sequence,), *index = iterator.__reduce__()
    if isinstance(sequence, Sized):
        sequence = sequence.sequence
    return restore_reversed, (sequence, index[0] + 1) if index else ((), 0)


def _one_shot(iterator: Iterator[Any]) -> Reduced:
    """Of iter(callable, sentinel): the native form is exact, unless it is ``re.finditer`` in disguise."""
    reduced: Any = iterator.__reduce__()
    function = reduced[1][0]
    if type(getattr(function, "__self__", None)).__name__ == "SRE_Scanner":
        raise PicklingError("re.finditer does not tell its position; iterate over list(re.finditer(...))")
    return reduced  # type: ignore[no-any-return]


# --- itertools: made where they stood --------------------------------------------------------------------------------


def _reduce_count(iterator: Any) -> Reduced:
    fields = read(iterator)
    return itertools.count, (fields.cnt if fields.long_cnt is ABSENT else fields.long_cnt, fields.long_step)


def _reduce_repeat(iterator: Any) -> Reduced:
    fields = read(iterator)
    return itertools.repeat, (fields.element,) if fields.cnt < 0 else (fields.element, fields.cnt)


def _reduce_compress(iterator: Any) -> Reduced:
    fields = read(iterator)
    return _over(itertools.compress, (), (fields.data, fields.selectors))


def _reduce_function_first(iterator: Any) -> Reduced:
    """Of starmap and filterfalse."""
    fields = read(iterator)
    return _over(type(iterator), (fields.func,), (fields.it,))


def never(_: object) -> bool:
    """The predicate of a ``dropwhile`` that drops no more."""
    return False


def _reduce_dropwhile(iterator: Any) -> Reduced:
    fields = read(iterator)
    return _over(itertools.dropwhile, (never if fields.start else fields.func,), (fields.it,))


def _reduce_takewhile(iterator: Any) -> Reduced:
    fields = read(iterator)
    return _over(itertools.takewhile, (fields.func,), ((),) if fields.stop else (fields.it,))


def _reduce_islice(iterator: Any) -> Reduced:
    fields = read(iterator)
    if fields.it is ABSENT:
        return itertools.islice, ((), 0)
    stop = None if fields.stop < 0 else max(fields.stop - fields.cnt, 0)
    return _over(itertools.islice, (), (fields.it,), (fields.next - fields.cnt, stop, fields.step))


def restore_zip_longest(iterators: tuple[Any, ...], fill: Any) -> Any:
    """``zip_longest`` over these very iterators; an empty tuple stands for a finished one."""
    return itertools.zip_longest(*[x if type(x) is tuple else Exactly(x) for x in iterators], fillvalue=fill)


def _reduce_zip_longest(iterator: Any) -> Reduced:
    fields = read(iterator)
    iterators = [() if x is ABSENT else x for x in fields.ittuple] if fields.numactive else []
    return restore_zip_longest, (tuple(iterators), fields.fillvalue)


def restore_chain(source: Any, active: tuple[Any, ...]) -> Any:
    """``chain`` over the iterables of ``source``; the iterator that it is in the middle of comes first."""
    return itertools.chain.from_iterable(Prepended(map(Exactly, active), source))


def _reduce_chain(iterator: Any) -> Reduced:
    fields = read(iterator)
    if fields.source is ABSENT:
        return itertools.chain, ()
    first, source = unprepended(fields.source)
    return restore_chain, (source, tuple(x.iterator for x in first) if fields.active is ABSENT else (fields.active,))


def restore_batched(inner: Any, size: int, strict: bool) -> Any:
    """``itertools.batched`` over this very iterator; where there is none such (before 3.12, 3.13 if strict) a stand-in."""
    if _BATCHED is None or (strict and not BATCHED_HAS_STRICT):
        return Batches(inner, size, strict)
    return _BATCHED(Exactly(inner), size, strict=True) if strict else _BATCHED(Exactly(inner), size)


_BATCHED: Any = getattr(itertools, "batched", None)


class Batches:
    """What ``itertools.batched`` does, for a snapshot of a later Python that goes on in an earlier one."""

    __slots__ = ("inner", "size", "strict")

    def __init__(self, inner: Any, size: int, strict: bool = False) -> None:
        self.inner = inner
        self.size = size
        self.strict = strict

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> tuple[Any, ...]:
        batch = tuple(itertools.islice(Exactly(self.inner), self.size))
        if not batch:
            raise StopIteration
        if self.strict and len(batch) < self.size:
            raise ValueError("batched(): incomplete batch")
        return batch

    def __reduce__(self) -> Reduced:
        return restore_batched, (self.inner, self.size, self.strict)


def _reduce_batched(iterator: Any) -> Reduced:
    fields = read(iterator)
    inner = iter(()) if fields.it is ABSENT else fields.it
    return restore_batched, (inner, max(fields.size, 1), bool(getattr(fields, "strict", False)))


# --- itertools: what they have read already is put before them, by a setter, since it may lead back to them ------------


def restore_prepended(kind: type, inner: Any, after: tuple[Any, ...]) -> Any:
    """``kind(inner, *after)`` with room before ``inner``."""
    return kind(Prepended((), inner), *after)


def _put_before(iterator: Any, values: Any) -> None:
    read(iterator).it.first.extend(values)


def _advance(iterator: Any, steps: int) -> None:
    next(itertools.islice(iterator, steps, steps), None)


def _reduce_accumulate(iterator: Any) -> Reduced:
    fields = read(iterator)
    _, inner = unprepended(fields.it)
    function = None if fields.binop is ABSENT else fields.binop
    if fields.initial is not ABSENT and fields.initial is not None:
        return restore_accumulate, (inner, function, (fields.initial,))
    if fields.total is ABSENT:
        return restore_accumulate, (inner, function, ())
    return restore_prepended, (itertools.accumulate, inner, (function,)), (fields.total,), None, None, put_total


def restore_accumulate(inner: Any, function: Any, initial: tuple[Any, ...]) -> Any:
    """``accumulate`` over this very iterator; ``initial`` is empty or the value still to come first."""
    return itertools.accumulate(Exactly(inner), function, initial=initial[0] if initial else None)


def put_total(iterator: Any, total: tuple[Any, ...]) -> None:
    """The total so far comes first, and has been given."""
    _put_before(iterator, total)
    _advance(iterator, 1)


def _reduce_pairwise(iterator: Any) -> Reduced:
    fields = read(iterator)
    if fields.it is ABSENT:
        return itertools.pairwise, ((),)
    first, inner = unprepended(fields.it)
    old = tuple(first) if fields.old is ABSENT else (fields.old,)
    if not old:
        return _over(itertools.pairwise, (), (inner,))
    return restore_prepended, (itertools.pairwise, inner, ()), old, None, None, put_old


def put_old(iterator: Any, old: tuple[Any, ...]) -> None:
    """The item that the next pair begins with."""
    _put_before(iterator, old)


def _reduce_cycle(iterator: Any) -> Reduced:
    fields = read(iterator)
    saved, inner, steps = tuple(fields.saved), fields.it, len(fields.saved)
    if inner is ABSENT or getattr(fields, "firstpass", False):
        steps += fields.index if inner is ABSENT else steps - operator.length_hint(inner)
        inner = iter(())
    _, inner = unprepended(inner)
    if not saved:
        return _over(itertools.cycle, (), (inner,))
    return restore_prepended, (itertools.cycle, inner, ()), (saved, steps), None, None, put_saved


def put_saved(iterator: Any, state: tuple[tuple[Any, ...], int]) -> None:
    """The items so far come first, and that many have been given."""
    saved, steps = state
    _put_before(iterator, saved)
    _advance(iterator, steps)


def restore_groupby(inner: Any, key: Any) -> Any:
    """``groupby`` with room before ``inner``, and for the keys of what is put there."""
    return itertools.groupby(Prepended((), inner), Keyed(key))


def _reduce_groupby(iterator: Any) -> Reduced:
    fields = read(iterator)
    values, inner = unprepended(fields.it)
    function = fields.keyfunc
    keys: list[Any] = []
    if type(function) is Keyed:
        keys, function = list(function.known), function.function
    if fields.currkey is not ABSENT:
        keys, values = [fields.currkey], [fields.currvalue]
    made = restore_groupby, (inner, function)
    target = () if fields.tgtkey is ABSENT else (fields.tgtkey,)
    return (*made, (target, tuple(keys), tuple(values)), None, None, put_read) if target or keys else made


def put_read(groups: Any, state: tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]]) -> None:
    """The key of the group that is under way, and the item that was read with its key, if there are any."""
    target, keys, values = state
    fields = read(groups)
    for key in target:
        fields.keyfunc.known.append(key)
        fields.it.first.append(None)
        _, group = next(groups)
        next(group)
    fields.keyfunc.known.extend(keys)
    fields.it.first.extend(values)


def restore_group(groups: Any, key: Any) -> Any:
    """The group that is under way in a ``groupby``."""
    return GROUP(groups, key)


def restore_left_group(key: Any) -> Any:
    """A group which the loop has left: it has no items any more."""
    return GROUP(itertools.groupby(()), key)


def _reduce_group(group: Any) -> Reduced:
    fields = read(group)
    if read(fields.parent).currgrouper != id(group):
        return restore_left_group, (fields.tgtkey,)
    return restore_group, (fields.parent, fields.tgtkey)


# --- itertools: others in their place --------------------------------------------------------------------------------


def _reduce_product(iterator: Any) -> Reduced:
    fields = read(iterator)
    if fields.stopped:
        return itertools.product, Product.ended
    if fields.result is ABSENT:
        return itertools.product, fields.pools
    return restore_choices, (itertools.product, fields.pools, tuple(fields.indices))


def _reduce_combinations(iterator: Any) -> Reduced:
    fields = read(iterator)
    if fields.stopped:
        return type(iterator), Combinations.ended
    if fields.result is ABSENT:
        return type(iterator), (fields.pool, fields.r)
    return restore_choices, (type(iterator), fields.pool, tuple(fields.indices))


def _reduce_permutations(iterator: Any) -> Reduced:
    fields = read(iterator)
    if fields.stopped:
        return itertools.permutations, Permutations.ended
    if fields.result is ABSENT:
        return itertools.permutations, (fields.pool, fields.r)
    return restore_choices, (itertools.permutations, fields.pool, tuple(fields.indices), tuple(fields.cycles))


def _reduce_tee(iterator: Any) -> Reduced:
    fields = read(iterator)
    return Tee, (fields.dataobj, fields.index)


def _reduce_tee_link(link: Any) -> Reduced:
    fields = read(link)
    return reduce_link(fields.it, fields.values, None if fields.nextlink is ABSENT else fields.nextlink)


# --- as Python 3.13 and earlier named them in snapshots that they saved by the native forms; see ``native_forms`` ---------


def set_total(iterator: Any, total: tuple[Any, ...]) -> None:
    """Put back the total so far, which may be None; other states are put back by ``set_state``."""
    set_state(iterator, total[0])


TABLE: dict[type, Callable[[Any], Reduced]] = {
    enumerate: _reduce_enumerate,
    filter: _reduce_filter,
    map: _reduce_map,
    reversed: _reduce_reversed,
    zip: _reduce_zip,
    type(iter(int, 1)): _one_shot,
    itertools.accumulate: _reduce_accumulate,
    itertools.chain: _reduce_chain,
    itertools.combinations: _reduce_combinations,
    itertools.combinations_with_replacement: _reduce_combinations,
    itertools.compress: _reduce_compress,
    itertools.count: _reduce_count,
    itertools.cycle: _reduce_cycle,
    itertools.dropwhile: _reduce_dropwhile,
    itertools.filterfalse: _reduce_function_first,
    itertools.groupby: _reduce_groupby,
    itertools.islice: _reduce_islice,
    itertools.pairwise: _reduce_pairwise,
    itertools.permutations: _reduce_permutations,
    itertools.product: _reduce_product,
    itertools.repeat: _reduce_repeat,
    itertools.starmap: _reduce_function_first,
    itertools.takewhile: _reduce_takewhile,
    itertools.zip_longest: _reduce_zip_longest,
    GROUP: _reduce_group,
    TEE: _reduce_tee,
    TEE_LINK: _reduce_tee_link,
    **{
        kind: kind.__reduce__
        for kind in (Batches, Combinations, CombinationsWithReplacement, Permutations, Prepended, Product, Tee, TeeLink)
    },
}
if _BATCHED is not None:
    TABLE[_BATCHED] = _reduce_batched
