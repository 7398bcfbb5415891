# durable: on
"""A csv writer and reader, and text files read by line and appended to, stay open over awaits."""
import asyncio
import csv
import os

from world import effect

NAME = "p210_table.csv"


async def write():
    with open(NAME, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        for number in range(4):
            writer.writerow([number, f"näme {number}"])
            await effect(f"written {number}")


async def append():
    file = open(NAME, "a", encoding="utf-8")  # noqa: SIM115
    try:
        file.write("4,last\n")
        await effect("appended")
        file.write("5,after\n")
        await effect("appended again")
    finally:
        file.close()


async def read():
    rows = []
    with open(NAME, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, ["number", "name"]):
            rows.append(row)
            await effect(f"read {row['number']}")
    return rows


async def main():
    await write()
    await append()
    rows = await read()
    os.remove(NAME)
    return rows



if __name__ == "__main__":
    print(repr(asyncio.run(main())))
