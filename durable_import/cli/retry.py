"""``retry``: an instance that has failed or is stuck, from another process."""

from __future__ import annotations

import asyncio

from .. import DurableError
from ..api.retries import retry_instance
from .speech import OURS, USAGE, say


def retry(instance_id: str, *, store: str) -> int:
    """Let an instance be taken up again; gives the exit status."""
    try:
        status = asyncio.run(retry_instance(store, instance_id))
    except ValueError as error:
        say(str(error))
        return USAGE
    except DurableError as error:
        say(f"error: {error}")
        return OURS
    if status is not None:
        say(f"instance {instance_id} is {status}: what can be retried has failed, is stuck, or is to be tried again later")
        return USAGE
    say(f"instance {instance_id} goes on from its last checkpoint, in the next process that has its program and looks for work")
    return 0
