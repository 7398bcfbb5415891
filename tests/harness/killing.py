"""Programs killed at chosen effects, each time in a folder of its own, and compared with what they give natively."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from textwrap import dedent

from tests.harness.processes import KILLED, Desk, Finished


def killed_at(desk: Desk, files: dict[str, str], *places: Iterable[int] | int) -> list[Finished]:
    """Run a program (the first of the files) once for each place: killed in that effect of the log, then to the end.

    A place that is several numbers stands for a life after the other, each killed in one of them. All must end as natively, with
    the same last line. Gives the last life for each place; effects and what was printed are in folders that are called after it.
    In each folder the variable NAME is another word, for tables that they share.
    """
    program = next(iter(files))
    native = _desk(desk, "native", files).native(program)
    assert native.status == 0, native
    ends = []
    for place in places:
        numbers = [place] if isinstance(place, int) else list(place)
        own = _desk(desk, "killed_" + "_".join(map(str, numbers)), files)
        for number in numbers:
            killed = own.run(program, kill_at=number)
            assert killed.status == KILLED, (number, killed)
        done = own.run(program)
        assert (done.status, last_line(done.out)) == (0, last_line(native.out)), (place, native.out, done, own.effects)
        ends.append(done)
    return ends


def lives(desk: Desk, files: dict[str, str], *places: int) -> Finished:
    """One folder: the program is killed in each of these effects of the log, one life after the other; gives the last life."""
    program = next(iter(files))
    for name, text in files.items():
        desk.write(name, text)
    for number in places:
        killed = desk.run(program, kill_at=number)
        assert killed.status == KILLED, (number, killed)
    return desk.run(program)


def last_line(out: str) -> str:
    return out.splitlines()[-1] if out else ""


def _desk(desk: Desk, name: str, files: dict[str, str]) -> Desk:
    made = Desk(desk.folder / name)
    made.folder.mkdir()
    made.variables = {**desk.variables, "NAME": f"t{secrets.token_hex(6)}"}
    for each, text in files.items():
        made.write(each, dedent(text))
    return made
