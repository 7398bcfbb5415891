# durable: on
# needs: pandas
"""DataFrames, Series, groupby results and timestamps survive between transformations."""
import asyncio
import pandas as pd

from world import effect


async def main():
    frame = pd.DataFrame({"city": ["a", "b", "a", "c"], "n": [1, 2, 3, 4]}, index=list("wxyz"))
    when = pd.Timestamp("2024-05-01", tz="UTC")
    holder = {"frame": frame}
    await effect("made")
    frame["m"] = frame["n"] * await effect("factor", 10)
    totals = frame.groupby("city")["m"].sum()
    await effect("grouped")
    rows = []
    for index, value in list(frame["m"].items()):
        rows.append((index, await effect(f"row {index}", int(value))))
    totals.loc["d"] = 7
    await effect("held")
    category = frame["city"].astype("category")
    await effect("category")
    return [
        frame.to_dict("list"),
        holder["frame"] is frame,
        totals.to_dict(),
        rows,
        when.isoformat(),
        list(category.cat.categories),
        frame.loc[frame["n"] > 2, "m"].tolist(),
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
