"""``run --telemetry``: where spans and metrics go, as OpenTelemetry's own environment variables say."""

from __future__ import annotations

import os
from typing import Any

from ..errors import DurableError, MissingDriverError

NONE = "none"
VARIABLES = {"traces": "OTEL_TRACES_EXPORTER", "metrics": "OTEL_METRICS_EXPORTER"}  # of the environment


def export_telemetry() -> None:
    """Set up OpenTelemetry's global providers with the exporters that OTEL_TRACES_EXPORTER and OTEL_METRICS_EXPORTER name: 'otlp'
    if they do not, 'console', or 'none'. All else is said by variables of the exporters and the SDK, as OTEL_SERVICE_NAME.

    Raises MissingDriverError for an SDK or exporter that is not installed.
    """
    try:
        from opentelemetry import metrics, trace
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise MissingDriverError(
            f"--telemetry needs OpenTelemetry's SDK, which cannot be imported ({error}). Install it with: "
            "pip install 'durable-import[otel]' opentelemetry-sdk opentelemetry-exporter-otlp"
        ) from error
    of_spans, of_metrics = _exporter("traces"), _exporter("metrics")
    if of_spans is not None:
        tracers = TracerProvider()
        tracers.add_span_processor(BatchSpanProcessor(of_spans()))
        trace.set_tracer_provider(tracers)
    if of_metrics is not None:
        metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(of_metrics())]))


def _exporter(signal: str) -> Any:
    """The class of the exporter; None if there is to be none."""
    from importlib.metadata import entry_points  # slow to import

    variable = VARIABLES[signal]
    name = os.environ.get(variable, "").strip() or "otlp"
    if name == NONE:
        return None
    found = [*entry_points(group=f"opentelemetry_{signal}_exporter", name=name)]
    if not found:
        raise MissingDriverError(
            f"there is no exporter {name!r} of {signal}: install it (pip install opentelemetry-exporter-{name}), or set "
            f"{variable} to another, 'console' or 'none'"
        )
    try:
        return found[0].load()
    except ImportError as error:
        raise DurableError(f"the exporter {name!r} of {signal} cannot be imported: {error}") from error
