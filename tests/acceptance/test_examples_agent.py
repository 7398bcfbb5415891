"""The agent, its model as a process of its own, and the human who allows: killed at many moments, it never overspends."""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance.servers import EXAMPLES, Server
from tests.acceptance.test_examples import random_moments
from tests.harness.processes import KILLED, PATIENCE, Desk, Finished, Running

pytestmark = pytest.mark.slow

AGENT = str(EXAMPLES / "agent.py")
WAITING = 75
MODULES = ["asyncio.tasks", "json.decoder", "ast", "dis", "csv", "string", "argparse", "typing"]
LAST_WORDS = "The report: it is published.\n"
CENT = 0.01  # dollars


@pytest.fixture
def model(desk: Desk) -> Server:
    """A model that takes its time."""
    return Server(desk, "servers.model:app", MODEL_DELAY="0.3").start()


def start(desk: Desk, model: Server, *options: str) -> Running:
    """Let the agent begin, or go on."""
    words = ["--exit-on-wait", "--instance", "report", AGENT, "--ledger", "ledger", *options, "How long are they?"]
    return desk.start(*words, variables={"OPENAI_BASE_URL": f"{model.url}/v1"})


def say_yes(desk: Desk) -> None:
    command = [sys.executable, "-m", "durable_import", "send", "report", "approval", '"yes"']
    assert desk.start_command(command).end().status == 0


def paid(model: Server) -> list[float]:
    """What each call of the model has cost."""
    costs: list[float] = model.get("/calls")
    return costs


def booked(ledger: Path) -> float:
    """What the agent takes for spent."""
    return sum(map(float, ledger.read_text().split()))


def report() -> str:
    """What is to be published."""
    lines = []
    for name in MODULES:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        lines.append(f"{name} has {len(Path(spec.origin).read_text().splitlines())}")
    return "Lines of code: " + "; ".join(lines)


def test_agent_is_killed_at_many_moments(desk: Desk, model: Server) -> None:
    """Killed at moments all over its run, it says the same; no more calls are paid than natively and one for each kill."""
    native = desk.start_command([sys.executable, AGENT, "--ledger", "native", "?"], OPENAI_BASE_URL=f"{model.url}/v1").end()
    assert native.out.splitlines()[-1].startswith("The report: DurableError: wait_for_event('approval'): ")  # nobody can answer
    calls = paid(model)
    assert booked(desk.folder / "native") == pytest.approx(sum(calls), abs=1e-5)

    moments = random_moments(12, 1.2)
    ended = run_and_kill(desk, model, moments)
    assert ended.status == WAITING, ended
    say_yes(desk)
    moments.extend(random_moments(3, 1.2))
    ended = run_and_kill(desk, model, moments)
    kills = 15 - len(moments)
    assert kills >= 5
    assert ended.out.endswith(LAST_WORDS)
    assert f"Published: {report()}\n" in "".join(running.out for running in desk.started)
    again = paid(model)[len(calls) :]
    assert len(calls) < len(again) <= len(calls) + kills
    assert sum(again) <= booked(desk.folder / "ledger")


def run_and_kill(desk: Desk, model: Server, moments: list[float]) -> Finished:
    """Run to the end; ``moments``: seconds after which runs are killed. Those that are used are taken away."""
    while moments:
        ended = start(desk, model, "--budget", "100").end_or_kill(moments[0])
        if ended.status != KILLED:
            return ended
        del moments[0]
        if ended.out.endswith(LAST_WORDS):
            return ended
    return start(desk, model, "--budget", "100").end()


def kill_when_paid(running: Running, model: Server) -> Finished:
    """Kill a run as soon as it has paid for a call, unless it ends before."""
    before, deadline = len(paid(model)), time.monotonic() + PATIENCE
    while running.process.poll() is None and len(paid(model)) == before and time.monotonic() < deadline:
        time.sleep(0.02)
    running.stop()
    return running.end()


def test_budget_is_not_overspent(desk: Desk, model: Server) -> None:
    """Killed again and again just when a call has been paid for, the agent stops before the budget is exceeded."""
    kills = 0
    while (ended := kill_when_paid(start(desk, model, "--budget", str(2 * CENT)), model)).status == KILLED:
        kills += 1
    assert ended.status == 0, ended
    assert ended.out.startswith("That is all for this money: $0.01")
    assert kills >= 2
    assert len(paid(model)) == kills
    assert sum(paid(model)) <= booked(desk.folder / "ledger") <= 2 * CENT
