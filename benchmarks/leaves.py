"""What the durable functions that are measured await: this module is not rewritten, so each await of these is a leaf."""


async def instant(value: int) -> int:
    """Ends without having waited: a checkpoint for each."""
    return value
