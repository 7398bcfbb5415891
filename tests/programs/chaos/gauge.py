"""Looks at the process that runs a program. Not marked: each look is a leaf, on the event loop of the process."""
import asyncio
import threading


async def look():
    loop = asyncio.get_running_loop()
    return sum(not timer.cancelled() for timer in loop._scheduled), threading.active_count(), len(asyncio.all_tasks(loop))
