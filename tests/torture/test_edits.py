"""Tables of edits of programs in flight, each made at every checkpoint, for each policy: see ``harness.edit_tables``."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import get_args

import pytest

from durable_import.upgrades.policies import OnChange
from tests.harness.deploys import HERE, REFUSED, deployed, natively
from tests.harness.edit_tables import Edit, edits_in, ended_in_old_code

TABLES = sorted((Path(__file__).parent / "edits").glob("*.txt"))
EDITS = [(f"{path.stem}: {edit.name}", edit) for path in TABLES for edit in edits_in(path)]


def outcomes(edit: Edit, policy: OnChange) -> list[str]:
    """What becomes of the program with the edit made at each of its checkpoints."""
    numbers = itertools.count()
    said = (deployed(edit.then, edit.today, number, policy, is_script=edit.is_script) for number in numbers)
    found = [each for each in itertools.takewhile(lambda each: each is not None, said) if each]
    return [each for each, _ in itertools.groupby(found)]  # one that has failed is at two checkpoints


def expected(edit: Edit, policy: OnChange) -> list[str]:
    """What the table says of a policy."""
    if policy == "move" or (policy == "pin" and edit.pinned):
        return edit.moved if policy == "move" else edit.pinned
    old = {_place(each): each for each in ended_in_old_code(natively(edit.then))} if policy == "pin" else {}
    places = [(number, said, _place(said)) for number, said in enumerate(edit.moved)]
    found = [said if number in edit.free else old.get(place, f"{place} {REFUSED}") for number, said, place in places]
    return [each for each, _ in itertools.groupby(found)]


def _place(said: str) -> str:
    return said.partition(HERE)[0] + HERE


def _is_as_said(found: str, said: str) -> bool:
    """Whether an outcome is the one of the table, which has no more than a part of a reason."""
    before, refused, reason = said.partition(f" {REFUSED}")
    return found.startswith(before + refused) and reason.strip() in found if refused else found == said


@pytest.mark.parametrize("policy", get_args(OnChange))
@pytest.mark.parametrize(
    "edit", [pytest.param(edit, id=name, marks=[pytest.mark.slow] * (n % 10 > 0)) for n, (name, edit) in enumerate(EDITS)]
)
def test_an_edit_at_every_checkpoint(edit: Edit, policy: OnChange) -> None:
    """The program ends as plain reasoning says, or is refused; no variable is wrong, and nothing is left out or done twice."""
    found, said = outcomes(edit, policy), expected(edit, policy)
    differing = [pair for pair in itertools.zip_longest(found, said, fillvalue="") if not _is_as_said(*pair)]
    assert not differing, edit.why
    assert edit.moved


def test_the_tables_are_large() -> None:
    """They have edits of many programs."""
    assert len(EDITS) >= 80
    assert len({text for _, edit in EDITS for text in edit.then.values()}) >= 8
