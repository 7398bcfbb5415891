"""The outside world of the test programs: effects that are counted, and that may kill the process.

This module is not rewritten: awaiting anything of it is a leaf.
"""
import asyncio
import os
import signal

if os.environ.get("KEY_LOG"):
    from durable_import import step_key


def _happen(name):
    """Append one line to $EFFECT_LOG, and one with the key of the step to $KEY_LOG; die by SIGKILL when the first has
    reached $KILL_AT lines."""
    keys = os.environ.get("KEY_LOG")
    if keys:
        log = os.open(keys, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.write(log, f"{step_key()}\t{name}\n".encode())
        os.close(log)
    path = os.environ.get("EFFECT_LOG")
    if not path:
        return
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(log, f"{name}\n".encode())
    finally:
        os.close(log)
    kill_at = os.environ.get("KILL_AT")
    if kill_at:
        with open(path, "rb") as lines:
            count = lines.read().count(b"\n")
        if count >= int(kill_at):  # more, if two threads wrote before either counted
            os.kill(os.getpid(), signal.SIGKILL)


async def effect(name, value=None):
    """Cause the effect `name` and return `value`."""
    _happen(name)
    await asyncio.sleep(0)
    return value


async def fail(name, exc):
    """Cause the effect `name` and raise `exc`."""
    _happen(name)
    await asyncio.sleep(0)
    raise exc


def crash_free_log(line):
    """Do nothing: a call that is no effect."""
