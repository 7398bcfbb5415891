"""Type parameters and aliases whose bounds, defaults and values are evaluated when somebody asks for them; since Python 3.12.

Only the compiler makes such ones. So one is made by compiling its statement again, with the code objects of the functions that
evaluate it in place of those that this gives.
"""

from __future__ import annotations

import dis
import gc
from types import CellType, CodeType, FunctionType
from typing import Any

from .support import refused

STARS = {"TypeVar": "", "TypeVarTuple": "*", "ParamSpec": "**"}
TEXTS = {"__bound__": ": {}", "__constraints__": ": ({},)", "__default__": " = {}"}


def late_functions(value: Any) -> list[tuple[FunctionType, bool]]:
    """The functions that evaluate a type parameter or alias, each with whether it has done so.

    The garbage collector lists what each gave beside it: of an alias after it, of a parameter before it.
    """
    is_alias = type(value).__name__ == "TypeAliasType"
    referents = [None, *gc.get_referents(value), None]
    found = []
    for place, item in enumerate(referents):
        if type(item) is FunctionType and item.__code__.co_name == value.__name__:
            beside = referents[place + 1 if is_alias else place - 1]
            nothing = beside is None or beside is type(value) or beside is value.__name__ or type(beside) is FunctionType
            found.append((item, not nothing))
    return found


def gives_constraints(evaluate: CodeType) -> bool:
    """Whether what evaluates a bound is a tuple as written, which gives constraints."""
    *_, given, end = dis.get_instructions(evaluate)
    return given.opname == "BUILD_TUPLE" or isinstance((given if end.opname == "RETURN_VALUE" else end).argval, tuple)


def make_alias(name: str, parameters: tuple[Any, ...], evaluate: FunctionType) -> Any:
    """An alias that was not evaluated."""
    return _made(f"type {name} = {{}}\n  return {name}", name, [evaluate], parameters, evaluate.__globals__)


def make_parameter(kind: str, name: str, late: dict[str, FunctionType], known: dict[str, Any]) -> Any:
    """A type parameter of which something was not evaluated.

    ``late``: what evaluates it, by ``__bound__``, ``__constraints__`` and ``__default__``; ``known``: the values of the others.
    """
    evaluate = late | {word: _giving(value, name) for word, value in known.items()}
    order = [word for word in TEXTS if word in evaluate]
    text = "".join(TEXTS[word] for word in order)
    functions = [evaluate[word] for word in order]
    namespace = next(iter(late.values())).__globals__
    made = _made(f"def f[{STARS[kind]}{name}{text}](): pass\n  return f.__type_params__[0]", name, functions, (), namespace)
    for word in known:
        getattr(made, word)
    return made


def _giving(value: Any, name: str) -> FunctionType:
    """A function that gives a value, whatever it is called with."""
    code = (lambda *_: "what is given").__code__
    constants = tuple(value if constant == "what is given" else constant for constant in code.co_consts)
    return FunctionType(code.replace(co_name=name, co_consts=constants), {})


def _made(text: str, name: str, functions: list[FunctionType], parameters: tuple[Any, ...], namespace: dict[str, Any]) -> Any:
    """What a function gives that has ``text`` for its body, in which each ``{}`` stands for what a function evaluates."""
    cells: dict[str, CellType] = {}
    for function in functions:
        cells.update(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    expressions = ["[" + ", ".join(each.__code__.co_freevars) + "]" for each in functions]
    source = f"def outer({', '.join(cells)}):\n def make():\n  {text.format(*expressions)}\n return make"
    module = compile(source, "<type parameters>", "exec", dont_inherit=True)
    make = _inside(_inside(module, "outer"), "make")
    code = _exchanged(make, name, [each.__code__ for each in functions])
    if parameters:
        code = _with_parameters(code, parameters)
    closure = tuple(cells[each] for each in code.co_freevars)
    return FunctionType(code, namespace, name, None, closure)()


def _inside(code: CodeType, name: str) -> CodeType:
    return next(each for each in code.co_consts if isinstance(each, CodeType) and each.co_name == name)


def _exchanged(code: CodeType, name: str, codes: list[CodeType]) -> CodeType:
    """Code with the next one of ``codes`` for each code object inside that has a name."""
    constants = []
    for constant in code.co_consts:
        if isinstance(constant, CodeType) and constant.co_name == name:
            if constant.co_freevars != codes[0].co_freevars:
                raise refused(f"its compiler orders the captured variables of {name!r} in another way than is known")
            constants.append(codes.pop(0))
        else:
            constants.append(_exchanged(constant, name, codes) if isinstance(constant, CodeType) else constant)
    return code.replace(co_consts=tuple(constants))


def _with_parameters(code: CodeType, parameters: tuple[Any, ...]) -> CodeType:
    """Code that makes an alias without parameters, with these where it takes None."""
    none = next(i for i in dis.get_instructions(code) if i.argval is None and i.opname in ("LOAD_CONST", "LOAD_COMMON_CONSTANT"))
    instructions = bytearray(code.co_code)
    instructions[none.offset : none.offset + 2] = bytes([dis.opmap["LOAD_CONST"], len(code.co_consts)])
    return code.replace(co_code=bytes(instructions), co_consts=(*code.co_consts, parameters))
