"""Iterators keep their very container, survive cycles, and stay as strict as the native ones."""

from __future__ import annotations

import collections
import csv
import gc
import itertools
import pickle
import re
import sys
import types
import warnings
from typing import Any

import pytest

from durable_import.snapshot.load_context import LoadContext, later, reading
from tests.harness.pickling import dumps, restored


def test_later_outside_a_load_is_an_error() -> None:
    """A snapshot loaded bare would be half restored, so that is refused."""
    with pytest.raises(RuntimeError, match="reading"):
        later(print)


def test_pending_calls_may_add_calls() -> None:
    """What is put off while running is run as well, in order."""
    seen: list[str] = []

    def add_more() -> None:
        seen.append("a")
        later(seen.append, "c")

    context = LoadContext()
    with reading(context):
        later(add_more)
        later(seen.append, "b")
        context.complete()
    assert seen == ["a", "b", "c"]


def test_list_iterator_keeps_its_list() -> None:
    """What is appended to the list later is seen by the iterator."""
    items = [1, 2, 3]
    iterator = iter(items)
    next(iterator)
    items, iterator, again = restored((items, iterator, iterator))
    assert iterator is again
    items.append(4)
    assert list(iterator) == [2, 3, 4]


def test_list_iterator_inside_its_own_list() -> None:
    """The position is put back when the list is complete."""
    items: list[Any] = [1, 2, 3]
    iterator = iter(items)
    backwards = reversed(items)
    next(iterator)
    next(backwards)
    items[0:1] = [iterator, backwards]
    restored_list = restored(items)
    assert next(restored_list[0]) is restored_list[1]
    assert next(restored_list[1]) is restored_list[1]


def test_list_iterator_beyond_a_cut_list() -> None:
    """A position beyond the end stays there, as natively."""
    items = [1, 2, 3, 4]
    iterator = iter(items)
    next(iterator), next(iterator), next(iterator)
    del items[1:]
    items, iterator = restored((items, iterator))
    items += [5, 6]
    assert len(items) == 3
    items.append(7)
    assert list(iterator) == [7]


def test_spent_list_iterator_stays_spent() -> None:
    """It has let its list go."""
    items = [1]
    iterator = iter(items)
    assert list(iterator) == [1]
    items, iterator = restored((items, iterator))
    items.append(2)
    assert list(iterator) == []


@pytest.mark.parametrize("kind", ["keys", "values", "items"])
@pytest.mark.parametrize("make", [dict, collections.OrderedDict, collections.Counter])
def test_dict_iterator_minds_a_change(kind: str, make: Any) -> None:
    """The restored iterator is over the same dict and raises when its size changes."""
    container = make({"a": 1, "b": 2, "c": 3})
    iterator = iter(getattr(container, kind)())
    next(iterator)
    expected = list(getattr(container, kind)())[1]
    container, iterator = restored((container, iterator))
    assert next(iterator) == expected
    container["d"] = 4
    with pytest.raises(RuntimeError, match=r"changed size|mutated"):
        next(iterator)


def test_dict_changed_before_the_save() -> None:
    """The error is still to come after the restore, again and again."""
    container = {"a": 1, "b": 2}
    iterator = iter(container)
    next(iterator)
    container["c"] = 3
    iterator = restored(restored(iterator))
    for _ in range(2):
        with pytest.raises(RuntimeError, match="dictionary changed size"):
            next(iterator)


def test_dict_iterator_inside_its_own_dict() -> None:
    """It waits for the dict to be complete, and can be saved once more."""
    container: dict[str, Any] = {"me": None, "b": 2, "c": 3}
    iterator = iter(container)
    next(iterator)
    container["me"] = iterator
    container = restored(restored(container))
    assert list(container["me"]) == ["b", "c"]


def test_dict_whose_keys_were_replaced_is_refused() -> None:
    """Where the iterator stands cannot be known, so it is an error rather than a guess."""
    container = {"a": 1, "b": 2}
    iterator = iter(container)
    next(iterator)
    del container["a"]
    container["x"] = 1
    with pytest.raises(pickle.PicklingError, match="changed under"):
        dumps(iterator)


def test_views_are_of_the_same_dict() -> None:
    """Views see later changes; that of an OrderedDict is its own."""
    plain, ordered = {"a": 1}, collections.OrderedDict(b=2)
    plain, ordered, keys, items, proxy = restored((plain, ordered, plain.keys(), ordered.items(), types.MappingProxyType(plain)))
    plain["c"] = ordered["d"] = 3
    assert list(keys) == list(proxy) == ["a", "c"]
    assert list(items) == [("b", 2), ("d", 3)]


def test_proxy_of_a_class_is_its_own() -> None:
    """``vars(cls)`` is not turned into a copy."""
    assert restored(vars(collections.Counter)) == vars(collections.Counter)


def test_proxy_of_a_class_that_a_server_has_frozen() -> None:
    """What the garbage collector does not show any more is found all the same."""
    gc.freeze()
    try:
        assert restored(vars(collections.UserDict)) == vars(collections.UserDict)
    finally:
        gc.unfreeze()


def test_set_iterator_minds_a_change() -> None:
    """As natively, also when nothing would remain."""
    container = {1, 2, 3}
    iterator = iter(container)
    next(iterator)
    container, iterator = restored(restored((container, iterator)))
    next(iterator)
    container.add(9)
    with pytest.raises(RuntimeError, match="Set changed size"):
        next(iterator)


def test_frozenset_iterator() -> None:
    """Each item once."""
    iterator = iter(frozenset("abc"))
    first = next(iterator)
    assert sorted([first, *restored(iterator)]) == ["a", "b", "c"]


def test_nested_adapters_share_one_iterator() -> None:
    """Two adapters over one iterator still take turns."""
    inner = iter(range(10))
    left, right = enumerate(inner), map(str, inner)
    next(left), next(right)
    left, right = restored((left, right))
    assert [next(left), next(right), next(left)] == [(1, 2), "3", (2, 4)]


class Counting:
    """An iterable that counts how often it is asked for an iterator."""

    def __init__(self) -> None:
        self.asked = 0
        self.left = 3

    def __iter__(self) -> Any:
        self.asked += 1
        return self

    def __next__(self) -> int:
        if not self.left:
            raise StopIteration
        self.left -= 1
        return self.left


class Bare:
    """An iterator without ``__iter__``."""

    def __init__(self) -> None:
        self.n = 0

    def __next__(self) -> int:
        self.n += 1
        return self.n


class GivesBare:
    """An iterable whose iterator is bare."""

    def __iter__(self) -> Any:
        return Bare()


def test_iter_is_not_called_again() -> None:
    """Users' ``__iter__`` has run; an iterator that has none is fine too."""
    wraps: tuple[Any, ...] = (enumerate, zip, itertools.cycle, itertools.pairwise, itertools.compress)
    for wrap in wraps:
        counting = Counting()
        wrapped: Any = wrap(counting, [1, 1]) if wrap is itertools.compress else wrap(counting)
        counting, wrapped = restored((counting, wrapped))
        next(wrapped)
        assert counting.asked == 1
    wrapped = restored(enumerate(GivesBare()))
    assert next(wrapped) == (0, 1)


def test_strict_zip_stays_strict() -> None:
    """The flag is kept."""
    with pytest.raises(ValueError, match="shorter"):
        list(restored(zip([1, 2], [1], strict=True)))


def test_groupby_with_an_open_group() -> None:
    """The group and its groupby go on together, as the rest of the loop needs."""
    groups = itertools.groupby([1, 1, 1, 2, 2], key=abs)
    key, group = next(groups)
    next(group)
    groups, group = restored((groups, group))
    assert (key, list(group)) == (1, [1, 1])
    assert [(k, list(g)) for k, g in groups] == [(2, [2, 2])]


def test_tee_shares_its_source() -> None:
    """Both branches see every item once."""
    left, right = itertools.tee(iter(range(200)))
    taken = [next(left) for _ in range(120)]
    left, right = restored((left, right))
    assert taken + list(left) == list(right) == list(range(200))


@pytest.mark.parametrize("make", [itertools.combinations, itertools.permutations])
def test_combinations_of_nothing_end_once(make: Any) -> None:
    """The native form would start again."""
    iterator = make([], 0)
    assert list(restored(iterator)) == [()]
    assert list(iterator) == [()]
    assert list(restored(iterator)) == []


def test_saving_over_and_over_does_not_grow() -> None:
    """A loop that is saved at each step for ever keeps its snapshot small."""
    for make in (
        lambda: itertools.pairwise(iter(range(100))),
        lambda: itertools.accumulate(iter([None] * 100), lambda _, x: x),
        lambda: csv.reader(iter(["a,b"] * 100)),
        lambda: itertools.chain(range(50), range(50)),
        lambda: reversed(range(100)),
    ):
        iterator: Any = make()
        sizes = []
        for _ in range(20):
            next(iterator)
            iterator = restored(iterator)
            sizes.append(len(dumps(iterator)))
        assert sizes[-1] < sizes[3] + 60


def test_no_warning_leaks_and_no_filter_changes() -> None:
    """itertools' deprecation of pickling is not our users' concern."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        before = list(warnings.filters)
        restored(itertools.chain(itertools.islice(itertools.count(), 3), itertools.cycle([1])))
        assert warnings.filters == before
    assert not caught


def test_finditer_is_refused() -> None:
    """Its position is hidden, so the error says what to do."""
    with pytest.raises(pickle.PicklingError, match=r"list\(re.finditer"):
        dumps(re.finditer("a", "aaa"))


def test_match_is_found_again() -> None:
    """Of search, match, fullmatch and from the middle of a finditer."""
    pattern = re.compile(r"(?P<x>a+)|(b)")
    for match in (pattern.search("..aab"), pattern.match("aab"), *pattern.finditer("aab b")):
        assert match is not None
        again = restored(match)
        assert (again.regs, again.groupdict(), again.re) == (match.regs, match.groupdict(), pattern)


def test_csv_reader_goes_on() -> None:
    """With its dialect and line number."""
    reader = csv.reader(iter(["a;b", "c;d", "e;f"]), delimiter=";")
    next(reader)
    reader = restored(restored(reader))
    assert (next(reader), reader.line_num) == (["c", "d"], 2)


if sys.version_info >= (3, 14):  # where template strings are

    @pytest.mark.parametrize("given", range(8))
    def test_iterator_over_a_template(given: int) -> None:
        """It gives the parts that it has not given, which are those of the template, and ends once."""
        template = eval("t'{1}a{[2]!r:>3}{3}b{4}'")  # which earlier Pythons cannot parse
        parts = list(template)
        iterator = iter(template)
        assert list(itertools.islice(iterator, given)) == parts[:given]
        template, iterator = restored((template, iterator))
        rest = list(iterator)
        kept = {id(field) for field in template.interpolations}
        assert [str(part) for part in rest] == [str(part) for part in parts[given:]]
        assert all(isinstance(part, str) or id(part) in kept for part in rest)

    def test_template_that_holds_itself() -> None:
        """A template in a circle with the value of one of its fields is one object."""
        values: list[Any] = []
        values.append(eval("t'{values}'"))
        found = restored(values)
        assert found[0].interpolations[0].value is found
