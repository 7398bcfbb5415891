# durable: on
"""Stable matching and instant-runoff voting with generators of proposals, rejections and rounds."""
import asyncio
import collections

from world import effect


async def match(suitors, reviewers):
    proposals = {name: iter(wishes) for name, wishes in suitors.items()}
    rank = {r: {s: i for i, s in enumerate(order)} for r, order in reviewers.items()}
    engaged, free, log = {}, collections.deque(suitors), []
    while free:
        suitor = free.popleft()
        reviewer = next(proposals[suitor])
        rival = engaged.setdefault(reviewer, suitor)
        if rival is not suitor:
            loser = max(suitor, rival, key=rank[reviewer].__getitem__)
            engaged[reviewer] = suitor if loser is rival else rival
            free.append(loser)
            log.append((reviewer, "rejects", await effect(f"{reviewer} rejects {loser}", loser)))
        else:
            await effect(f"{reviewer} accepts {suitor}")
    return engaged, log


async def runoff(ballots):
    out, rounds = set(), []
    while True:
        counts = collections.Counter(next((c for c in ballot if c not in out), None) for ballot in ballots)
        counts.pop(None, None)
        (leader, votes), *_ = counts.most_common(1)
        rounds.append(dict(sorted(counts.items())))
        if votes * 2 > await effect(f"round {len(rounds)}", counts.total()):
            return leader, rounds
        out.add(min(counts, key=lambda c: (counts[c], c)))


async def main():
    suitors = {"a": "xyz", "b": "xzy", "c": "xyz"}
    reviewers = {"x": "bca", "y": "acb", "z": "abc"}
    engaged, log = await match(suitors, reviewers)
    ballots = ["pqr", "prq", "qrp", "qpr", "rqp"]
    return sorted(engaged.items()), log, await runoff(ballots)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
