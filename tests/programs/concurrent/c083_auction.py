# durable: on
"""Bidders watch a price under a condition and outbid each other until the hammer falls."""
import asyncio
from dataclasses import dataclass, field

from world import effect


@dataclass
class Auction:
    lot: str
    price: int
    leader: str | None = None
    open: bool = True
    bids: list = field(default_factory=list)
    out: list = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition, repr=False)

    async def bid(self, who, amount):
        async with self.news:
            if not self.open or amount <= self.price or self.leader == who:
                return False
            self.price, self.leader = amount, who
            self.bids.append((who, amount))
            self.news.notify_all()
            return True

    async def leave(self, who):
        async with self.news:
            self.out.append(who)
            self.news.notify_all()


async def bidder(auction, who, limit, step):
    while auction.price + step <= limit:
        await auction.bid(who, auction.price + step)
        async with auction.news:
            await auction.news.wait_for(lambda: auction.leader != who or not auction.open)
            if not auction.open:
                return auction.leader == who
    await auction.leave(who)
    return False


async def auctioneer(auction, bidders):
    async with auction.news:
        await auction.news.wait_for(lambda: len(auction.out) == bidders - 1)
        auction.open = False
        auction.news.notify_all()
    await effect(f"hammer for {auction.lot}")
    return auction.leader, auction.price


async def sell(lot, start, limits):
    auction = Auction(lot, await effect(f"estimate {lot}", start))
    hammer = asyncio.create_task(auctioneer(auction, len(limits)))
    bidders = [asyncio.create_task(bidder(auction, who, *limit), name=who) for who, limit in limits.items()]
    won = await asyncio.gather(*bidders)
    return await hammer, dict(zip(limits, won, strict=True)), auction


async def main():
    vase, clock = await asyncio.gather(
        sell("vase", 10, {"ann": (50, 10), "bob": (46, 5), "cid": (30, 7)}),
        sell("clock", 100, {"dot": (150, 25), "eve": (160, 10)}),
    )
    await effect("pay")
    return vase, clock


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
