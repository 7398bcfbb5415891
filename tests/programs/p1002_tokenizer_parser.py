# durable: on
"""A tokenizer generator feeds a recursive descent parser which awaits between tokens and evaluates with precedence."""
import asyncio
import re

from world import effect


TOKEN = re.compile(r"\s*(?:(?P<num>\d+\.?\d*)|(?P<name>[a-z]\w*)|(?P<op>\*\*|[-+*/(),]))")


class ParseError(Exception):
    def __init__(self, message, position):
        super().__init__(message)
        self.position = position


def tokens(text):
    position = 0
    while position < len(text):
        match = TOKEN.match(text, position)
        if not match:
            raise ParseError(f"unexpected {text[position]!r}", position)
        kind, text_, end = match.lastgroup, match[match.lastgroup], match.end()
        del match
        yield kind, text_, position
        position = end
    yield "end", "", position


class Parser:
    def __init__(self, text):
        self.tokens = tokens(text)
        self.current = next(self.tokens)

    def advance(self):
        token, self.current = self.current, next(self.tokens, ("end", "", -1))
        return token

    def accept(self, *texts):
        return self.advance()[1] if self.current[1] in texts and self.current[0] != "end" else None

    async def expression(self, level=0):
        levels = [("+", "-"), ("*", "/"), ("**",)]
        if level == len(levels):
            return await self.atom()
        left = await self.expression(level + 1)
        while op := self.accept(*levels[level]):
            left = (op, left, await self.expression(level + (op != "**")))
        return left

    async def atom(self):
        kind, text, position = self.advance()
        match kind:
            case "num":
                return float(text) if "." in text else int(text)
            case "name" if self.accept("("):
                arguments = []
                while not self.accept(")"):
                    arguments.append(await self.expression())
                    self.accept(",")
                return ("call", text, arguments)
            case "name":
                return await effect(f"lookup {text}", {"x": 3, "y": 4}[text])
            case "op" if text == "(":
                inner = await self.expression()
                if not self.accept(")"):
                    raise ParseError("expected )", self.current[2])
                return inner
            case _:
                raise ParseError(f"did not expect {text!r}", position)


async def main():
    out = []
    for text in ["1 + 2 * x ** 2", "max(x, y * 2, 7) - (y - 1)", "2 * (x", "x $ y", "+"]:
        try:
            out.append(await Parser(text).expression())
        except ParseError as error:
            out.append((str(error), error.position, await effect("error")))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
