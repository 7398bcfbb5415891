# durable: on
"""A loop that waits: what remains of a wait survives a restart.

Run it, kill it in the middle of a wait (from another terminal: kill -9 PID), and run the same command again:

    python -m durable_import run examples/heartbeat.py
    python -m durable_import run examples/heartbeat.py --beats 3 --every 5

A beat that was due in 30 seconds and was interrupted after 20 comes 10 seconds later, or at once if its time passed
while nothing was running.
"""

import argparse
import asyncio
import time


async def main(beats: int, every: float) -> None:
    begun = time.time()
    late = 0.0
    for beat in range(1, beats + 1):
        print(f"waiting {every:g} s for beat {beat} of {beats}")
        due = time.time() + every
        await asyncio.sleep(every)
        late = max(late, time.time() - due)
        print(f"beat {beat} of {beats}, {time.time() - begun:.1f} s after the start")
    print(f"{beats} beats, none more than {late:.1f} s late")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Beat at intervals.")
    parser.add_argument("--beats", type=int, default=10, metavar="N", help="how many (default: 10)")
    parser.add_argument("--every", type=float, default=30, metavar="SECONDS", help="the interval (default: 30)")
    options = parser.parse_args()
    asyncio.run(main(options.beats, options.every))
