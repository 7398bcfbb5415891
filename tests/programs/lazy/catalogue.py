"""A module that is not rewritten: what it holds is changed by the program that imports it lazily."""

settings = {"level": 0}
PRICES = {"tea": 3, "cake": 5}


class Order:
    def __init__(self, item):
        self.item = item
        self.price = PRICES[item]


def collect(item, into=[]):  # noqa: B006  one list for all calls is what is looked at
    into.append(item)
    return into
