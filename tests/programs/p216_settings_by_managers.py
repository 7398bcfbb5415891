# durable: on
"""Managers of the standard library that change the process: redirected output, folder, warnings; nested and in a stack."""
import asyncio
import contextlib
import io
import os
import sys
import warnings

from world import effect


async def main():
    outer, inner, start = io.StringIO(), io.StringIO(), os.getcwd()
    with contextlib.redirect_stdout(outer):
        print("one")
        await effect("outer")
        with contextlib.redirect_stdout(inner), contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.chdir("/"))
            await effect("inner")
            print("two", os.getcwd())
            sys.stdout.write("three\n")
            await effect("inner again")
        await effect("between")
        print("four", os.getcwd() == start)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for turn in range(3):
            warnings.warn(f"warning {turn}", stacklevel=1)
            await effect(f"warned {turn}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        await effect("strict")
        try:
            warnings.warn("raised", stacklevel=1)
        except UserWarning as error:
            caught.append(str(error))
    await effect("end")
    return outer.getvalue(), inner.getvalue(), [str(getattr(w, "message", w)) for w in caught]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
