# durable: on
"""Dates, times, timedeltas, fixed and named time zones and their arithmetic survive."""
import asyncio
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from world import effect


async def main():
    zone = ZoneInfo("Europe/Berlin")
    offset = timezone(timedelta(hours=5, minutes=30), "IST")
    start = datetime(2024, 3, 30, 12, 0, tzinfo=zone)
    fold = datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=zone)
    step = timedelta(days=1, microseconds=5)
    day, clock = date(2024, 2, 28), time(23, 59, tzinfo=timezone.utc)
    await effect("made")
    out = []
    for n in range(3):
        day += timedelta(days=await effect(f"day {n}", n))
        out.append(day.isoformat())
    later = start + step
    await effect("later")
    out += [later.isoformat(), later.utcoffset() == timedelta(hours=2), fold.utcoffset(), fold.fold]
    out += [start.astimezone(offset).isoformat(), offset.tzname(None), clock.isoformat(), str(step * 3)]
    return out, later.tzinfo is zone is start.tzinfo, ZoneInfo("Europe/Berlin") is zone, timezone.utc is clock.tzinfo


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
