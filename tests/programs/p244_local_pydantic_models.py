# durable: on
# needs: pydantic
"""Pydantic models that are defined in a function, with annotations that name its variables."""
import asyncio

from pydantic import BaseModel, Field, ValidationError, field_validator

from world import effect


async def main():
    Amount = int

    class Line(BaseModel):
        name: str
        amount: Amount = 1

        @field_validator("name")
        @classmethod
        def strip(cls, value: str) -> str:
            return value.strip()

    class Order(BaseModel):
        lines: list[Line] = Field(default_factory=list)
        total: Amount | None = None

        def count(self) -> Amount:
            return sum(line.amount for line in self.lines)

    order = Order(lines=[Line(name=" a ")])
    await effect("made")
    order.lines.append(Line(name="b", amount=await effect("amount", 3)))
    order.total = order.count()
    await effect("counted", order.total)
    try:
        Line(name="c", amount="x")
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]["msg"]
        await effect("problem", problem)
    return [order.model_dump(), Order.model_validate(order.model_dump()) == order, problem, sorted(Order.model_fields), order.count()]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
