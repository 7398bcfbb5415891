"""A snapshot saved by one Python version resumes in another."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.harness.interpreters import Version, ask, interpreters, name_of
from tests.harness.rewriting import PROGRAMS
from tests.harness.torture import native

NAMES = (
    "p001_operand_order", "p008_comprehension_forms", "p010_async_generator_expressions", "p017_match_patterns",
    "p025_try_every_clause", "p027_finally_while_leaving", "p033_except_star", "p035_with_order",
    "p038_async_with_errors", "p044_closures_shared", "p046_super_and_class_cell", "p055_async_generator_protocol",
    "p059_generator_send_throw", "p060_yield_from", "p065_coroutine_objects", "p090_async_comprehension_scopes",
    "p117_context_and_cause", "p120_exception_groups", "p130_enumerate_zip_map_filter",
    "p131_itertools_infinite", "p132_itertools_combining", "p133_itertools_combinatorics", "p134_tee_and_groupby",
    "p135_groupby_loop", "p206_iterators_side_by_side",
    "p139_generator_expressions_held", "p155_module_containers", "p159_context_variables", "p162_dataclasses",
    "p165_local_classes", "p173_dates_and_zones", "p240_annotations_of_local_definitions", "p242_annotated_data_classes",
    "p243_annotations_as_text", "p244_local_pydantic_models", "p247_annotations_of_every_kind",
)  # fmt: skip
PATHS = {name: PROGRAMS / f"{name}.py" for name in NAMES}
PAIRS = [(saved, resumed) for saved in interpreters() for resumed in interpreters() if saved != resumed] or [
    (version, version) for version in interpreters()
]


@pytest.fixture(scope="module")
def runs() -> dict[Version, dict[str, Any]]:
    """For each Python version, what each program gave and the snapshots that it left behind."""
    jobs = [{"program": str(path)} for path in PATHS.values()]
    found = {}
    for version, executable in interpreters().items():
        answers = ask(executable, "tests.harness.crossing", jobs)
        found[version] = dict(zip(NAMES, answers, strict=True))
    return found


@cache
def native_result(path: Path) -> str:
    """The repr of what a program gives as it is."""
    return native(path.read_text(), str(path))


def name_of_pair(pair: tuple[Version, Version]) -> str:
    return f"{name_of(pair[0])} to {name_of(pair[1])}"


@pytest.mark.parametrize("pair", PAIRS, ids=name_of_pair)
def test_snapshots_cross(pair: tuple[Version, Version], runs: dict[Version, dict[str, Any]]) -> None:
    """From the middle of each program one version goes on with what another has saved, to the native result."""
    saved, resumed = pair
    jobs = []
    for name, path in PATHS.items():
        payloads = runs[saved][name]["payloads"]
        jobs.append({"program": str(path), "payload": payloads[len(payloads) // 2]})
    answers = ask(interpreters()[resumed], "tests.harness.crossing", jobs)
    for (name, path), answer in zip(PATHS.items(), answers, strict=True):
        assert answer["result"] == native_result(path), name


NAMED_LATER = '''
import asyncio


async def main():
    T = int

    class Body:
        a: T
        b: list[Late]

        def method(self, x: Late, y: T) -> "Body": ...

    await asyncio.sleep(0)
    Late = str
    return Body.__annotations__, Body.method.__annotations__
'''


def test_annotations_that_were_not_evaluated(tmp_path: Path) -> None:
    """Those of Python 3.14 that an earlier one cannot evaluate, as a name in them is not bound yet, stay as they are written."""
    path = tmp_path / "named_later.py"
    path.write_text(NAMED_LATER)
    late = [version for version in interpreters() if version >= (3, 14)]
    for saved in late:
        for resumed, executable in interpreters().items():
            payload = ask(interpreters()[saved], "tests.harness.crossing", [{"program": str(path)}])[0]["payloads"][-1]
            found = ask(executable, "tests.harness.crossing", [{"program": str(path), "payload": payload}])[0]["result"]
            expected = ("list[str]", "<class 'str'>") if resumed in late else ("'list[Late]'", "'Late'")
            assert found == (
                f"({{'a': <class 'int'>, 'b': {expected[0]}}}, "
                f"{{'x': {expected[1]}, 'y': <class 'int'>, 'return': 'Body'}})"
            )
