# durable: on
"""Ask a human, who may take their time: nothing needs to run until they have answered.

    python -m durable_import run --exit-on-wait --instance logo examples/approval.py
    python -m durable_import send logo approval '"yes"'
    python -m durable_import run --exit-on-wait --instance logo examples/approval.py

The first command ends with status 75 and steps the question open, tomorrow or on another day `send` answers it, and then
the first command goes on. Without `--exit-on-wait` it waits for the answer; kill it (kill -9 PID), and it waits again when
it is run again.
"""

import asyncio

from durable_import import wait_for_event


async def main() -> None:
    draft = ["a circle", "a bolt of lightning"]
    print(f"May this logo be published: {' and '.join(draft)}?")
    answer = await wait_for_event("approval")
    print("It is published." if answer == "yes" else f"It goes back to the drawing board: {answer}")


if __name__ == "__main__":
    asyncio.run(main())
