"""``run --telemetry``: spans and metrics of a script are exported, also when it ends at once."""

from __future__ import annotations

import json
import re

from tests.docs.pages import FOLDER
from tests.harness.processes import Desk

SCRIPT = """\
# durable: on
import asyncio

async def main():
    for number in range(3):
        await asyncio.to_thread(abs, number)
    print("done")

asyncio.run(main())
"""


def test_exporters(desk: Desk) -> None:
    """What OpenTelemetry's variables name gets them, by the time that the process has ended; what is not installed is said."""
    desk.write("shop.py", SCRIPT)
    desk.variables |= {"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "console"}
    done = desk.run("--telemetry", "shop.py")
    assert done.status == 0, done.said
    assert "done\n" in done.out
    assert set(re.findall(r'"name": "(durable\.[\w.]+)"', done.out)) >= {"durable.steps", "durable.checkpoint.duration"}
    assert '"name": "abs"' in done.out
    desk.variables |= {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "missing"}
    refused = desk.run("--telemetry", "--fresh", "shop.py")
    assert (refused.status, "there is no exporter 'missing' of metrics" in refused.said) == (70, True)


def test_the_dashboard() -> None:
    """Its panels ask for metrics that there are, under the names that Prometheus gives them."""
    told = re.findall(r"^\| `(durable\.[\w.]+)` \| (\w+)", (FOLDER / "observability.md").read_text(), re.MULTILINE)
    endings = {"gauge": "", "counter": "_total", "histogram": "_bucket"}
    units = {"durable.checkpoint.duration": "_seconds", "durable.checkpoint.size": "_bytes", "durable.wakeup.lag": "_seconds"}
    metrics = {f"{name.replace('.', '_')}{units.get(name, '')}{endings[kind]}" for name, kind in told if kind in endings}
    panels = json.loads((FOLDER / "grafana-dashboard.json").read_text())["panels"]
    asked = {
        name for panel in panels for target in panel["targets"] for name in re.findall(r"durable_\w+(?=[\[{)])", target["expr"])
    }
    assert asked - {"durable_function", "durable_status"} == metrics
