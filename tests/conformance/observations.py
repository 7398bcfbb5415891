# ruff: noqa
"""What a program can observe of itself, printed: errors with tracebacks and contexts, order of evaluation, lifetimes, names.

Run natively and rewritten, the output has to be the same to the letter. Left out on purpose, as they differ: the frames of
comprehensions that Python 3.12 inlines, carets under calls with unpacked arguments, the wording of errors of ``**``, and
the order in which the parts of one expression die when it ends.
"""
import asyncio, sys, traceback, gc, weakref, warnings, inspect, types, contextlib
def run(c):
    try:
        while True: c.send(None)
    except StopIteration as s: return s.value
@types.coroutine
def sw(v=None):
    return (yield v)
async def val(x):
    await sw(); return x
def show(e, seen=None):
    te = traceback.TracebackException.from_exception(e)
    def cut(t):
        if t is None: return
        t.stack[:] = [f for f in t.stack if f.name not in ('run','raises')]
        cut(t.__cause__); cut(t.__context__)
        for x in t.exceptions or (): cut(x)
    cut(te)
    return ''.join(te.format()).replace('Traceback (most recent call last):','TB')
P=[]
def probe(f): P.append(f); return f
def raises(c):
    try:
        r = run(c() if callable(c) else c)
        return repr(r)
    except BaseException as e:
        return show(e)
class Bad:
    pass
# --- async for errors
@probe
def af1():
    async def m():
        async for x in Bad(): pass
    return raises(m)
@probe
def af2():
    class A:
        def __aiter__(self): return Bad()
    async def m():
        async for x in A(): pass
    return raises(m)
@probe
def af3():
    class A:
        def __aiter__(self): return self
        def __anext__(self): return 3
    async def m():
        async for x in A(): pass
    return raises(m)
@probe
def af4():
    class A:
        def __aiter__(self): raise ValueError('x')
    async def m():
        async for x in A(): pass
    return raises(m)
@probe
def af5():
    class A:
        def __aiter__(self): return self
        def __anext__(self): raise ValueError('x')
    async def m():
        try:
            1/0
        except ZeroDivisionError:
            async for x in A(): pass
    return raises(m)
@probe
def af6():
    class A:
        def __aiter__(self): return self
        def __anext__(self): return self
        def __await__(self): return 3
    async def m():
        async for x in A(): pass
    return raises(m)
@probe
def af7():
    class A:
        def __aiter__(self): return self
        async def __anext__(self): raise StopAsyncIteration
    async def m():
        async for x in A(): pass
        else: return 'else'
    return raises(m)
@probe
def af8():
    # body raising StopAsyncIteration is not swallowed
    async def g():
        yield 1
    async def m():
        async for x in g(): raise StopAsyncIteration('body')
    return raises(m)
@probe
def af9():
    async def g():
        yield 1
        yield 2
    async def m():
        out=[]
        async for x in g():
            try: await val(1)
            finally: out.append(sys.exc_info()[1])
            if x==1: continue
            break
        else: out.append('no')
        return out, x
    return raises(m)
@probe
def af10():
    async def g():
        yield 1
    async def m():
        async for (x, y) in g(): pass
    return raises(m)
@probe
def af11():
    # exc_info in the body after StopAsyncIteration
    async def g():
        if 0: yield
    async def m():
        async for x in g(): pass
        else:
            a = sys.exc_info()
        return a, sys.exc_info()
    return raises(m)
@probe
def af12():
    class A:
        def __aiter__(self): return self
        async def __anext__(self): raise StopAsyncIteration
    async def m():
        async for x in A(): pass
        else: raise KeyError('else')
    return raises(m)
# --- with
@probe
def w1():
    async def m():
        with Bad():
            await sw()
    return raises(m)
@probe
def w2():
    async def m():
        async with Bad():
            await sw()
    return raises(m)
@probe
def w3():
    class A:
        def __enter__(self): pass
    async def m():
        with A():
            await sw()
    return raises(m)
@probe
def w4():
    class A:
        async def __aenter__(self): pass
    async def m():
        async with A():
            await sw()
    return raises(m)
@probe
def w5():
    class A:
        def __aenter__(self): return 3
        async def __aexit__(self,*a): pass
    async def m():
        async with A():
            await sw()
    return raises(m)
@probe
def w6():
    class A:
        async def __aenter__(self): pass
        def __aexit__(self,*a): return 3
    async def m():
        async with A():
            await sw()
    async def m2():
        async with A():
            await sw()
            1/0
    async def m3():
        async with A():
            return 4
    return raises(m), raises(m2), raises(m3)
@probe
def w7():
    class A:
        def __enter__(self): raise ValueError('enter')
        def __exit__(self,*a): raise KeyError('exit')
    class B:
        def __enter__(self): return self
        def __exit__(self,*a): raise KeyError('exit')
    class C:
        def __enter__(self): return self
        def __exit__(self,*a): print('C', a[0], a[1], [l.lineno for l in traceback.extract_tb(a[2])], sys.exc_info()[1])
    async def m():
        with A(): await sw()
    async def m2():
        with B(): await sw()
    async def m3():
        with B():
            await sw()
            1/0
    async def m4():
        with C() as c, B() as b:
            await sw()
            1/0
    async def m5():
        for i in range(3):
            with C():
                await sw()
                if i==1: continue
                if i==2: break
        with C():
            await sw()
            return 5
    return [raises(x) for x in (m,m2,m3,m4,m5)]
@probe
def w8():
    class A:
        async def __aenter__(self): return self
        async def __aexit__(self,*a):
            print('aexit', a[0], a[1], [l.lineno for l in traceback.extract_tb(a[2])] if a[2] else None, sys.exc_info()[1])
            await sw()
            return a[0] is KeyError
    async def m():
        async with A():
            await sw(); 1/0
    async def m2():
        async with A():
            await sw(); raise KeyError('z')
        return 'swallowed'
    async def m3():
        try: 1/0
        except ZeroDivisionError:
            async with A():
                await sw(); raise ValueError('q')
    async def m4():
        for i in range(4):
            async with A() as a, A() as b:
                if i==1: continue
                if i==2: return i
    return [raises(x) for x in (m,m2,m3,m4)]
@probe
def w9():
    class A:
        def __bool__(self): raise ValueError('bool')
    class C:
        def __enter__(self): return self
        def __exit__(self,*a): return A()
    async def m():
        with C():
            await sw(); 1/0
    return raises(m)
# --- iter
@probe
def i1():
    async def m():
        for x in 3: await sw()
    async def m2():
        for a,b in [1]: await sw()
    class I:
        def __iter__(self): raise ValueError('iter')
    class J:
        def __iter__(self): return self
        def __next__(self): raise ValueError('next')
    class K:
        def __iter__(self): return 4
    class L:
        def __getitem__(self, i):
            if i<2: return i
            raise IndexError
    async def m3():
        for x in I(): await sw()
    async def m4():
        for x in J(): await sw()
    async def m5():
        for x in K(): await sw()
    async def m6():
        for x in L(): await sw()
        return x
    async def m7():
        for x in None: await sw()
    return [raises(x) for x in (m,m2,m3,m4,m5,m6,m7)]
# --- await errors
@probe
def a1():
    async def m(): await 3
    async def m2(): return 1 + await Bad()
    class A:
        def __await__(self): return 3
    async def m3(): await A()
    class B:
        def __await__(self): return val(1)
    async def m4(): await B()
    async def m5():
        c = val(1)
        await c
        await c
    async def m6(): await undefined
    async def m7():
        x = (await val(1)) / (await val(0))
    async def m8():
        return f"{await val(1)} {1/0}"
    async def m9():
        d = {}
        d[await val('k')] += await val(1)
    async def m10():
        return (await val(3))(1, *await val(2))
    async def m11():
        return (await val(print))(1, **await val(2))
    async def m13():
        a, b = await val((1,2,3))
    async def m14():
        assert await val(0), 'msg'
    async def m16():
        raise ValueError(await val(1)) from KeyError(await val(2))
    async def m17():
        return [await val(1) for x in 3]
    async def m18():
        return [x async for x in 3]
    async def m24():
        return dict(a=1, **{'a': 2}, b=await val(1))
    async def m25():
        return dict(**(await val({'b':1})), b=await val(1))
    return [raises(x) for x in (m,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m13,m14,m16,m17,m18,m24,m25)]
async def agen():
    yield 1
    yield 2
# --- nested comps in sync functions
@probe
def c1():
    def f(): return [(x async for x in agen()) for j in [1,2]]
    def f2(): return ((x async for x in agen()) for j in [1,2])
    def f3(): return {j: (await_ async for await_ in agen()) for j in [1,2]}
    def f4(): return [(await val(i+j) for i in [1,2]) for j in [10]]
    def f5():
        z = [(x for x in [1,2])]
        return [type(a).__name__ for a in z]
    async def m():
        out=[]
        for g in (f,f2,f3,f4):
            r = g()
            out.append(type(r).__name__)
            for h in (r.values() if isinstance(r, dict) else r):
                out.append(type(h).__name__)
                out.append([x async for x in h])
        out.append(f5())
        return out
    return raises(m)
@probe
def c3():
    async def m():
        x = 'outer'
        r = [x async for x in agen()]
        return x, r, sorted(locals())
    async def m3():
        return [y := x async for x in agen()], y
    async def m4():
        fs = [lambda: x async for x in agen()]
        return [f() for f in fs]
    async def m5():
        return [(x, y) async for x in agen() if await val(x>0) for y in range(await val(x)) if y >= 0]
    async def m6():
        return {await val('k'): await val('v') for _ in [1]}, {await val(a) async for a in agen()}
    return [raises(x) for x in (m,m3,m4,m5,m6)]
@probe
def names():
    async def m(): 
        "doc"
        return [1 async for x in agen()]
    async def ag(): 
        """agdoc"""
        yield await val(1)
    def g():
        "gdoc"
        x = yield 1
    out=[]
    for f in (m, ag, g, val):
        c=f.__code__
        out.append((f.__name__, f.__qualname__, f.__doc__, c.co_name, c.co_qualname, c.co_firstlineno, c.co_argcount, [v for v in c.co_varnames[:c.co_argcount]], c.co_flags & ~0x10, inspect.iscoroutinefunction(f), inspect.isasyncgenfunction(f), inspect.isgeneratorfunction(f), str(inspect.signature(f))))
    gx = (x async for x in agen())
    out.append((gx.__name__, gx.__qualname__, gx.ag_code.co_name, gx.ag_code.co_qualname))
    return out
# --- exceptions and contexts
@probe
def e1():
    async def m():
        try:
            await sw(); 1/0
        except ZeroDivisionError as e:
            await sw()
            raise KeyError('a')
    async def m2():
        try:
            await sw(); 1/0
        except ZeroDivisionError as e:
            await sw()
            raise
    async def m3():
        try:
            await sw(); 1/0
        except (await val(ZeroDivisionError)) as e:
            raise KeyError('b') from None
    async def m4():
        try:
            await sw(); 1/0
        except (await val(KeyError)):
            pass
    async def m5():
        try: 1/0
        finally:
            await sw()
            {}['z']
    async def m6():
        try: 1/0
        finally:
            await sw()
    async def m7():
        try:
            1/0
        except ZeroDivisionError as e:
            await sw()
        return e
    async def m8():
        try:
            1/0
        except await val(3):
            pass
    async def m9():
        e = 1
        try:
            1/0
        except ZeroDivisionError as e:
            await sw()
            del e
        return 'e' in locals()
    async def m10():
        for i in range(3):
            try:
                if i == 0: continue
                if i == 1: break
            finally:
                await sw()
                print('fin', i, sys.exc_info())
        return i
    async def m11():
        try:
            try: 1/0
            finally:
                await sw()
                return 1
        finally:
            print(sys.exc_info())
    async def m12():
        try:
            raise ExceptionGroup('g', [ValueError(1), KeyError(2)])
        except* ValueError as g:
            await sw(); raise TypeError('in handler')
        except* KeyError:
            await sw()
            print(repr(sys.exc_info()[1]))
    async def m13():
        try:
            raise ExceptionGroup('g', [ValueError(1), KeyError(2)])
        except* ValueError as g:
            await sw(); raise
    async def m14():
        try: raise ValueError('naked')
        except* ValueError as g:
            await sw()
            print(repr(g), [l.lineno for l in traceback.extract_tb(g.__traceback__)])
            raise g
    async def m15():
        try:
            raise ExceptionGroup('g', [ValueError(1), KeyError(2)])
        except* 3:
            await sw()
    async def m16():
        try:
            raise ExceptionGroup('g', [ValueError(1), KeyError(2)])
        except* ExceptionGroup:
            await sw()
    async def m17():
        try:
            raise ExceptionGroup('g', [ValueError(1), KeyError(2)])
        except* ValueError as g:
            await sw(); raise TypeError('x') from g
        finally:
            await sw()
    async def m18():
        try: 1/0
        except ZeroDivisionError as a:
            try:
                await sw()
                {}['x']
            except KeyError as b:
                await sw()
                raise a
    return [raises(x) for x in (m,m2,m3,m4,m5,m6,m7,m8,m9,m10,m11,m12,m13,m14,m15,m16,m17,m18)]
# --- lifetimes
class T:
    def __init__(s, n): s.n=n
    def __del__(s): print('del', s.n)
    def __await__(s):
        yield; return T(s.n+'r')
    def __enter__(s): return T(s.n+'e')
    def __exit__(s,*a): pass
    async def __aenter__(s): return T(s.n+'e')
    async def __aexit__(s,*a): await sw()
    def __aiter__(s): return s
    i=0
    async def __anext__(s):
        s.i+=1
        if s.i>2: raise StopAsyncIteration
        return T(s.n+str(s.i))
    def __iter__(s): return s
    def __next__(s):
        s.i+=1
        if s.i>2: raise StopIteration
        return T(s.n+str(s.i))
    def m(s, *a): return a and len(a)
@probe
def l2():
    async def m():
        async with T('a') as x:
            print(1); x=None; print(2)
        print(3)
        with T('b'):
            await sw(); print(4)
        print(5)
        await sw(); print(6)
        async for y in T('c'):
            print(7); 
        print(8); y=None; print(9)
        async for y in T('d'):
            break
        print(10); y=None; print(11)
        for y in T('e'):
            await sw(); print(12)
        print(13); y=None; print(14)
        await sw(); print(15)
    return raises(m)
@probe
def l3():
    async def m():
        try:
            raise ValueError(T('a'))
        except ValueError as e:
            await sw(); print(1)
        print(2)
        try:
            try: raise ValueError(T('b'))
            finally: await sw(); print(3)
        except ValueError: print(4)
        print(5)
        async def f():
            try: return T('c')
            finally: await sw(); print(6)
        await f(); print(7)
        match await T('d'):
            case int(): pass
            case _: print(8); await sw()
        print(9)
        if await T('e') is not None: print(10)
        while await T('f') is None: pass
        print(11)
        [await sw() for z in [T('g')]]; print(12)
        r = [z async for z in T('h')]; print(13)
        r = None; print(14)
        x = [T('i')]
        x[0] = await val(1); print(15)
        x[0] = T('j')
        x[await val(0)] = T('k'); print(16)
        del x[await val(0)]; print(17)
        return 18
    return raises(m)
@probe
def l5():
    # arguments released when coroutine ends / cycles
    async def inner(o): await sw(); return 1
    async def m():
        await inner(T('a')); print(1)
        w = weakref.ref(x := T('b')); del x
        return w()
    return raises(m)
@probe
def l6():
    async def f(): await sw()
    async def m():
        c = f()
        w = weakref.ref(c)
        await c
        del c
        return w() is None
    async def m2():
        with contextlib.suppress(ValueError):
            await sw(); raise ValueError(T('v'))
        print(1)
    async def m3():
        try: 
            async with T('x'):
                raise ValueError(T('v'))
        except ValueError: print(0)
        print(1)
    return [raises(x) for x in (m,m2,m3)]
# --- warnings and cr_await
@probe
def n1():
    async def f(): pass
    async def m():
        f()
        val(f())
        await sw()
    async def m2():
        x = await val(1); f()
    with warnings.catch_warnings(record=True) as ws:
        warnings.simplefilter('always')
        r = raises(m), raises(m2)
        gc.collect()
    return r, [(str(w.message), w.lineno, w.filename.split('/')[-1]) for w in ws]
@probe
def n2():
    async def inner(): await sw()
    async def m():
        await inner()
    c = m(); c.send(None)
    r = (c.cr_await.__name__, c.cr_running, c.cr_suspended, c.cr_frame.f_lineno)
    c.close()
    def g(): yield from iter([1,2])
    x = g(); next(x)
    r += (type(x.gi_yieldfrom).__name__,)
    async def ag():
        async for x in agen(): yield x
    async def o():
        async with T2(): await inner()
    class T2:
        async def __aenter__(self): await sw()
        async def __aexit__(self, *a): await sw()
    c = o(); c.send(None); r += (c.cr_await.__qualname__,); c.send(None); r+=(c.cr_await.__qualname__,); c.send(None); r+=(c.cr_await.__qualname__,c.cr_frame.f_lineno); c.close()
    c=(lambda: val(1))(); c.close()
    return r
@probe
def gen1():
    def g():
        try:
            while True:
                try:
                    x = yield
                    print('got', x)
                except ValueError as e:
                    print('VE', e); yield 'handled'
        except GeneratorExit:
            print('GE', repr(sys.exc_info()[1])); raise
        finally: print('fin')
    x = g(); next(x); x.send(1); print(x.throw(ValueError('q'))); x.close()
    def g2():
        try: yield
        except GeneratorExit: yield
    x=g2(); next(x)
    try: x.close()
    except RuntimeError as e: print(show(e))
    def g3():
        raise StopIteration('z')
        yield
    try: next(g3())
    except RuntimeError as e: print(show(e))
    def g4():
        r = yield from g5()
        print('r', r)
    def g5():
        try: yield 1
        except KeyError: return 'ke'
    x = g4(); next(x)
    try: x.throw(KeyError)
    except StopIteration: pass
    def g6(): yield from 3
    try: next(g6())
    except TypeError as e: print(show(e))
    class I:
        def __iter__(self): raise ValueError('it')
    def g7(): yield from I()
    try: next(g7())
    except ValueError as e: print(show(e))
    async def co(): pass
    def g8(): yield from co()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try: next(g8())
        except TypeError as e: print(show(e))
    @types.coroutine
    def g9(): return (yield from co())
    print(raises(g9()))
    def g10():
        for x in (yield): yield x
    x = g10(); next(x)
    try: x.send(4)
    except TypeError as e: print(show(e))
    return 1
@probe
def ag1():
    async def g():
        try:
            yield 1
            yield 2
        finally:
            print('fin'); await sw(); print('fin2')
    async def m():
        a = g()
        await a.asend(None)
        await a.aclose()
        a = g(); await anext(a)
        try: await a.athrow(KeyError('k'))
        except KeyError as e: print(show(e))
        b = g(); print(await anext(b)); print(await anext(b)); print(await anext(b, 'dflt'))
    async def g2():
        try: yield
        except GeneratorExit: yield
    async def m2():
        a = g2(); await anext(a); await a.aclose()
    async def g3():
        raise StopAsyncIteration('s')
        yield
    async def m3():
        async for x in g3(): pass
    async def g4():
        yield 1
        raise StopIteration
    async def m4():
        async for x in g4(): pass
    async def m5():
        raise StopIteration('co')
    async def m6():
        a = g(); c = anext(a); c.send(None)
        c2 = anext(a)
        c2.send(None)
    async def m7():
        await anext(3)
    return [raises(x) for x in (m,m2,m3,m4,m5,m7)]
@probe
def ev():
    log=[]
    def s(n, v=None): log.append(n); return v
    async def A(n, v=None): log.append(n); await sw(); log.append(n+'!'); return v
    class O:
        def __getattr__(self, n): log.append('.'+n); return lambda *a, **k: (log.append((n,a,sorted(k))), self)[1]
        def __getitem__(self, k): log.append(('get', k)); return 5
        def __setitem__(self, k, v): log.append(('set', k, v))
        def __delitem__(self, k): log.append(('del', k))
        def __eq__(self, o): log.append('eq'); return self
        def __bool__(self): log.append('bool'); return True
        def __lt__(self, o): log.append('lt'); return self
        __hash__ = None
        def __format__(self, spec): log.append(('fmt', spec)); return 'F'
        def __iadd__(self, o): log.append('iadd'); return self
    async def m():
        o = O()
        o.foo(s('1'), await A('2'), k=s('3'), **{}).bar(await A('4'))
        o[s('5', 1)] = await A('6')
        o[await A('7', 2)] = s('8')
        o[s('9', 1):await A('10', 4):s('11', 2)]
        o[await A('12')] += await A('13', 2)
        o.x.y(await A('a'))
        (s('14', o) < (await A('15', o)) < s('16', o) == await A('17', o))
        if o and (await A('18', o)) and o: pass
        f"{o:{await A('19', '>3')}}{s('20', o)}{await A('21')}{o!r:.1}"
        {s('22', 1): await A('23'), await A('24', 2): s('25')}
        [s('26'), await A('27'), *(await A('28', [1])), s('29')]
        lambda x=await A('30'): 3
        def f(a=s('31'), *, b=await A('32')) -> s('33'): pass
        @s('34', lambda f: s('dec1', f))
        @(await A('35', lambda f: s('dec2', f)))
        def f(a=await A('36')): pass
        class K(s('37', object), metaclass=await A('38', type)): x = s('39')
        a, o[await A('40')], *b = s('41', [1,2,3])
        o.z.w = await A('42') if s('43') else await A('44')
        x = y = o[s('45')] = await A('46')
        del o[await A('47')], o[s('48')]
        z: s('ann') = await A('49')
        o[s('50')]: s('51') = await A('52')
        for o[await A('53')] in s('54', [1, 2]): s('55')
        with s('56', contextlib.nullcontext()) as o[await A('57')], await A('58', contextlib.nullcontext(3)) as q: s('59')
        o += await A('60')
        (w := await A('61', 3)) + s('62', w)
        return s('63', o).foo(*s('64', [1]), *await A('65', [2]), k=await A('66'), **s('67', {'z':1}), **await A('68', {'y': 1}))
    r = raises(m)
    return ('Traceback' in r and r), log
@probe
def ev2():
    async def m():
        x = 1
        async def chg():
            nonlocal x
            x = 10; await sw(); return 1
        a = x + await chg()
        x = 1
        b = (x, await chg(), x)
        x = [1]; y = x
        async def chg2():
            nonlocal x
            x = [5]; return 1
        x[0] += await chg2()
        x += [await chg2()]
        return a, b, x, y
    return raises(m)
@probe
def tb1():
    async def h():
        await sw()
        return (
            1 +
            (await val(2)) +
            1/0 +
            3
        )
    async def m():
        x = [
            1,
            await val(3),
            await h(),
        ]
    async def m2():
        with contextlib.nullcontext():
            await h(
            )
    async def m3():
        async with contextlib.nullcontext():
            await h()
    async def m4():
        for i in [1]:
            await h()
    async def m5():
        async for i in agen():
            await h()
    async def m6():
        return [await h() for x in [1]]
    async def m7():
        try:
            await h()
        finally:
            await sw()
    async def m8():
        return (await h()
                if await val(1)
                else 3)
    async def m9():
        match await val(3):
            case 3 if await h(): pass
    async def m10():
        print(*[1],
              await h(), a=3)
    async def m11():
        return [x async for x in agen2()]
    async def agen2():
        yield 1
        1/0
    async def m12():
        async for x in agen2():
            pass
    async def m13():
        g = (x async for x in agen2())
        async for x in g:
            pass
    async def m14():
        (await val(3)).foo
    async def m15():
        (await val(3))[
            0]
    async def m16():
        x = (await val(3)).y = 4
    async def m17():
        -(await val('x'))
    async def m18():
        async with contextlib.nullcontext() as x.y:
            pass
    async def m19():
        await (
           val(1/0)
        )
    async def m20():
        return (await val(1)) < 'a' < await val(3)
    async def m21():
        return 1 < (await val(2)) < 'a'
    return '\n'.join(raises(x) for x in (m,m2,m3,m4,m5,m7,m8,m9,m10,m12,m13,m14,m15,m16,m17,m18,m19,m20,m21))
@probe
def unb():
    async def m():
        await sw(); print(x); x = 1
    async def m2():
        y = 1; del y; await val(y)
    async def m3():
        z = z + await sw()
    async def m4():
        z += await sw()
    async def m5():
        def f(): return q
        await val(f()); q = 1
    def g():
        yield v
        v = 1
    return [raises(x) for x in (m,m2,m3,m4,m5,g)]
@probe
def hooks():
    log=[]
    old = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(lambda a: log.append(('first', a.__name__)), lambda a: log.append(('fin', a.__name__)))
    async def g():
        yield 1
    async def m():
        async for x in g(): break
        [x async for x in (y async for y in g())]
        async for x in g(): pass
    r = raises(m)
    sys.set_asyncgen_hooks(*old)
    return r, log
@probe
def match1():
    async def m(v):
        match v:
            case [a, b] if await val(a > b): return 'gt', a, b
            case [a, b] if a == b: return 'eq'
            case {'k': x, **rest}: await sw(); return x, rest
            case str() as s: return await val(s)
            case _: return await val('other')
    async def m2(v):
        match (await val(v)):
            case 1 | 2: await sw(); r = 'low'
            case x if x > 5: r = 'hi'
        return r
    return [raises(m(v)) for v in ([2,1],[1,1],[1,2],{'k':1,'z':2},'s')] + [raises(m2(v)) for v in (1,6,3)]
@probe
def recur():
    async def r(n):
        return 0 if n == 0 else 1 + await r(n-1)
    async def inf(): await inf()
    async def m():
        try: await inf()
        except RecursionError as e: return type(e).__name__
    return raises(r(50)), raises(m)
@probe
def star_order():
    log=[]
    def it():
        log.append('it'); yield 1
    async def m():
        def f(*a, **k): return a, k
        r = f(*it(), k=await val(log.append('kw')))
        r2 = f(0, *it(), k=await val(log.append('kw2')))
        r3 = f(*it(), *it(), k=await val(log.append('kw3')))
        class D(dict):
            def keys(s): log.append('keys'); return super().keys()
        r4 = f(**D(a=1), k=await val(log.append('kw4')))
        r5 = [*it(), await val(log.append('x'))]
        return r, r2, r3, r4, r5
    return raises(m), log
@probe
def life_exc():
    async def ag():
        try:
            yield 1
        finally: print('ag fin')
    def g(n):
        try:
            yield n
            yield n
        finally: print('g fin', n)
    async def m():
        try:
            for x in g(1):
                await sw()
                raise ValueError
        except ValueError:
            print('handler')
        try:
            for x in g(2):
                await sw()
                break
            print('after break')
        except ValueError: pass
        for x in g(3):
            await sw()
            if x: continue
        else:
            print('else')
        print('end')
        for x in g(4):
            await sw()
            return x
    r = raises(m)
    async def m2():
        try:
            async for x in ag():
                raise ValueError
        except ValueError: print('h2')
        async for x in ag(): break
        print('b2')
        try:
            with T('mgr') as y:
                await sw(); y = None
                raise ValueError
        except ValueError: print('h3')
        try:
            await T('aw').nope
        except AttributeError: print('h5')
        print('end')
    log=[]
    old=sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, lambda a: print('hook', a.__name__))
    r2 = raises(m2)
    sys.set_asyncgen_hooks(*old)
    return r, r2
@probe
def life_mem():
    class Big:
        n=0
        def __init__(s): Big.n+=1
        def __del__(s): Big.n-=1
    async def mk(): await sw(); return Big()
    async def use(b): 
        b = None
        await sw()
        return Big.n
    async def m():
        out=[]
        out.append(await use(await mk()))
        out.append(await use(Big()))
        (await mk()).__class__; out.append(Big.n)
        if await mk(): out.append(Big.n)
        while await mk():
            out.append(Big.n); break
        x = [await mk(), await mk()]; out.append(Big.n); x = None; out.append(Big.n)
        d = {}; d['k'] = await mk(); d.clear(); out.append(Big.n)
        a, b = await mk(), 1; a = None; out.append(Big.n)
        f'{await mk()}'; out.append(Big.n)
        y = (await mk()) and (await mk()); y = None; out.append(Big.n)
        z = (await mk()) if await mk() else None; z = None; out.append(Big.n)
        assert await mk(); out.append(Big.n)
        lst = [await mk() for _ in range(3)]; out.append(Big.n); lst = None; out.append(Big.n)
        async with contextlib.nullcontext(await mk()) as q: q = None; out.append(Big.n)
        out.append(Big.n)
        match await mk():
            case Big(): out.append(Big.n)
        async for w in aiter_of(mk): out.append(Big.n)
        w = None; out.append(Big.n)
        for w in [await mk()]: await sw(); out.append(Big.n)
        w = None; out.append(Big.n)
        try: raise ValueError(await mk())
        except ValueError as e: await sw(); out.append(Big.n)
        out.append(Big.n)
        def ff(a=await mk()): pass
        out.append(Big.n); ff = None; out.append(Big.n)
        return out
    async def aiter_of(f):
        for i in range(2): yield await f()
    return raises(m)
@probe
def tb_multi():
    class A:
        async def __aenter__(s): 1/0
        async def __aexit__(s, *a): pass
    class B:
        async def __aenter__(s): pass
        async def __aexit__(s, *a): {}['exit']
    class It:
        def __aiter__(s): return s
        async def __anext__(s): 1/0
    async def m():
        async with (
            B() as b,
            A() as a,
        ):
            pass
    async def m2():
        async with (
            B() as b,
            contextlib.nullcontext() as a,
        ):
            await sw()
    async def m3():
        async for x in (
            It()
        ):
            pass
    async def m4():
        for x in (
            [1, 2]
        ):
            (await
             boom())
    async def boom():
        await sw(); 1/0
    async def m5():
        with (
            contextlib.suppress(KeyError),
            contextlib.ExitStack() as s,
        ):
            s.callback(lambda: 1/0)
            await sw()
    async def m6():
        return [
            x
            async for x in It()
            if x
        ]
    async def m7():
        return await val(
            boom2()
        ) + (
            1 +
            await boom())
    def boom2(): return 1
    async def m8():
        x = dict(
            a=await val(1),
            b=await boom(),
        )
    async def m9():
        if (await val(1) and
            await boom()):
            pass
    async def m10():
        while (
            await boom()
        ): pass
    async def m11():
        x: int = (
            await boom())
    async def m12():
        del (
            await val({}))['x']
    async def m13():
        await val(1); raise ValueError(
            await val('msg'))
    async def m14():
        o = types.SimpleNamespace(x=1)
        o.x += (
            await val('s'))
    async def m15():
        try: pass
        finally:
            await boom()
    return '\n'.join(raises(x) for x in (m,m2,m3,m4,m5,m7,m8,m9,m10,m11,m12,m13,m14,m15))
def main():
    for f in P:
        print('==', f.__name__)
        try: r = f()
        except BaseException as e: r = show(e)
        for x in (r if isinstance(r, (list, tuple)) else [r]): print(x)
