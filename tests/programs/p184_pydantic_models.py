# durable: on
# needs: pydantic
"""Pydantic models, nested, with private attributes, validators and a generic one, survive."""
import asyncio
from typing import Generic, TypeVar
from pydantic import BaseModel, Field, PrivateAttr, ValidationError, field_validator

from world import effect


T = TypeVar("T")


class Address(BaseModel):
    city: str
    lines: list[str] = Field(default_factory=list)


class User(BaseModel):
    name: str
    age: int = 0
    address: Address | None = None
    _cache: dict = PrivateAttr(default_factory=dict)

    @field_validator("name")
    @classmethod
    def strip(cls, value):
        return value.strip()

    def remember(self, key, value):
        self._cache[key] = value
        return dict(self._cache)


class Page(BaseModel, Generic[T]):
    items: list[T]


Numbers = Page[int]


async def main():
    address = Address(city="x")
    user = User(name=" ann ", address=address)
    page = Numbers(items=["1", 2])
    user.remember("a", 1)
    await effect("made")
    user.address.lines.append(await effect("line", "l1"))
    user.age = await effect("age", 30)
    remembered = user.remember("b", 2)
    try:
        User(name="bob", age=await effect("bad", "x"))
    except ValidationError as error:
        problems = [error.error_count(), error]
        await effect("handling")
        await effect("still handling")
        problems = problems[0], problems[1] is error, error.args, error.errors(include_url=False)[0]["msg"]
    await effect("held")
    return [
        user,
        user.model_dump(),
        remembered,
        problems,
        page.items,
        page.__class__.__name__,
        User.model_validate_json(user.model_dump_json()) == User(name="ann", age=30, address=user.address),
        sorted(user.model_fields_set),
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
