# durable: on
"""An interpreter of a toy language with closures, loops and asynchronous builtins runs a program."""
import asyncio

from world import effect


class Return(Exception):
    def __init__(self, value):
        super().__init__()
        self.value = value


class Env:
    def __init__(self, outer=None, **names):
        self.outer = outer
        self.names = dict(names)

    def find(self, name):
        env = self
        while env is not None and name not in env.names:
            env = env.outer
        if env is None:
            raise NameError(name)
        return env


class Function:
    def __init__(self, parameters, body, env):
        self.parameters = parameters
        self.body = body
        self.env = env


def read(text):
    stack = [[]]
    for word in text.replace("(", " ( ").replace(")", " ) ").split():
        if word == "(":
            stack.append([])
        elif word == ")":
            done = stack.pop()
            stack[-1].append(done)
        else:
            stack[-1].append(int(word) if word.lstrip("-").isdigit() else word)
    return stack[0]


class Interpreter:
    def __init__(self):
        self.printed = []
        self.root = Env(**{"+": lambda a, b: a + b, "<": lambda a, b: a < b, "*": lambda a, b: a * b})
        self.root.names["ask"] = self.ask
        self.root.names["print"] = self.printed.append

    async def ask(self, n):
        return await effect(f"ask {n}", n * 10)

    async def run(self, node, env):
        if isinstance(node, int):
            return node
        if isinstance(node, str):
            return env.find(node).names[node]
        handler = getattr(self, f"do_{node[0]}", None) if isinstance(node[0], str) else None
        if handler is not None:
            return await handler(env, *node[1:])
        function, *arguments = [await self.run(part, env) for part in node]
        return await self.call(function, arguments)

    async def call(self, function, arguments):
        if isinstance(function, Function):
            inner = Env(function.env, **dict(zip(function.parameters, arguments, strict=True)))
            try:
                return await self.do_do(inner, *function.body)
            except Return as result:
                return result.value
        result = function(*arguments)
        return await result if asyncio.iscoroutine(result) else result

    async def do_let(self, env, name, value):
        env.names[name] = await self.run(value, env)

    async def do_set(self, env, name, value):
        env.find(name).names[name] = await self.run(value, env)

    async def do_fn(self, env, parameters, *body):
        return Function(parameters, body, env)

    async def do_return(self, env, value):
        raise Return(await self.run(value, env))

    async def do_if(self, env, test, then, other=0):
        return await self.run(then if await self.run(test, env) else other, env)

    async def do_while(self, env, test, *body):
        while await self.run(test, env):
            await self.do_do(env, *body)

    async def do_do(self, env, *body):
        last = None
        for part in body:
            last = await self.run(part, env)
        return last


PROGRAM = """
(let make (fn (n) (fn (d) (set n (+ n d)) (return n) (print 999))))
(let acc (make 5))
(let i 0)
(while (< i 3) (set i (+ i 1)) (print (acc (ask i))))
(let fact (fn (n) (if (< n 2) (ask 1) (* n (fact (+ n -1))))))
(print (fact 4))
"""


async def main():
    interpreter = Interpreter()
    for form in read(PROGRAM):
        await interpreter.run(form, interpreter.root)
    try:
        await interpreter.run(["missing", 1], interpreter.root)
    except NameError as error:
        await effect("unknown")
        interpreter.printed.append(str(error))
    return interpreter.printed, sorted(interpreter.root.names)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
