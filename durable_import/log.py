"""The logger of this package. Each of its records has the attributes ``instance_id`` and ``checkpoint``, if only None."""

from __future__ import annotations

import logging
from typing import Any

logger = logging.getLogger("durable_import")


def about(instance_id: str | None, checkpoint: int | None = None) -> dict[str, Any]:
    """The attributes of a record that is about an instance, for ``extra``."""
    return {"instance_id": instance_id, "checkpoint": checkpoint}


def _complete(record: logging.LogRecord) -> bool:
    """So that a format with ``%(instance_id)s`` fits each record."""
    for name, value in about(None).items():
        record.__dict__.setdefault(name, value)
    return True


logger.addFilter(_complete)
