"""The rows of the table of libraries' objects: what each does around its two steps, and what becomes of it at a checkpoint.

A row is the body of an async function: ``await one()`` and ``await two()`` are its steps, ``folder`` is its own folder, and what
it returns is compared. ``kept``: it was saved, or opened again; ``held``: nothing was saved while it was open or in use.
"""

from __future__ import annotations

import sys
from textwrap import dedent, indent
from typing import Literal, NamedTuple

Becomes = Literal["kept", "held"]


class Row(NamedTuple):
    """One object. ``body``: see the module."""

    name: str
    becomes: Becomes
    body: str


def _row(name: str, becomes: Becomes, body: str) -> Row:
    return Row(name, becomes, dedent(body).strip("\n"))


def _with(name: str, becomes: Becomes, opening: str, *, before: str = "", inside: str = "0", after: str = "0") -> Row:
    """A block around both steps. ``inside``: looked at between and after them, in the block; ``after``: behind it."""
    block = f"async {opening[6:]}" if opening.startswith("async ") else opening
    lines = [before, f"{block}:", "    seen = []", "    await one()", f"    seen.append({inside})", "    await two()",
             f"    seen.append({inside})", f"return seen, {after}"]  # fmt: skip
    return Row(name, becomes, "\n".join(line for line in lines if line))


def _next(name: str, becomes: Becomes, iterator: str) -> Row:
    """An iterator in the middle of which both steps are."""
    lines = [f"items = {iterator}", "seen = [next(items)]", "await one()", "seen.append(next(items))", "await two()",
             "return seen, list(items)"]  # fmt: skip
    return Row(name, becomes, "\n".join(lines))


def _keep(name: str, becomes: Becomes, value: str, seen: str) -> Row:
    """An object in a variable."""
    lines = [f"value = {value}", f"seen = [{seen}]", "await one()", f"seen.append({seen})", "await two()",
             f"seen.append({seen})", "return seen"]  # fmt: skip
    return Row(name, becomes, "\n".join(lines))


def _write(name: str, becomes: Becomes, opening: str, item: str, result: str) -> Row:
    """A writer in a ``with`` block."""
    lines = [f"with {opening} as out:", f"    out.write({item} % 0)", "    await one()", f"    out.write({item} % 1)",
             "    await two()", f"    out.write({item} % 2)", f"return {result}"]  # fmt: skip
    return Row(name, becomes, "\n".join(lines))


LINES = 'open(folder + "/lines", "w").write("a,1\\nb,2\\nc,3\\n")'

FILES = [
    _write("open write", "kept", 'open(folder + "/t", "w")', '"row %d"', 'open(folder + "/t").read()'),
    _write("open append", "kept", 'open(folder + "/t", "a")', '"row %d"', 'open(folder + "/t").read()'),
    _write("open binary", "kept", 'open(folder + "/t", "wb")', 'b"row %d"', 'open(folder + "/t", "rb").read()'),
    _write("open unbuffered", "kept", 'open(folder + "/t", "wb", buffering=0)', 'b"row %d"', 'open(folder + "/t", "rb").read()'),
    _write("gzip write", "held", 'gzip.open(folder + "/t", "wt")', '"row %d"', 'gzip.open(folder + "/t", "rt").read()'),
    _write("bz2 write", "held", 'bz2.open(folder + "/t", "wt")', '"row %d"', 'bz2.open(folder + "/t", "rt").read()'),
    _write("lzma write", "held", 'lzma.open(folder + "/t", "wt")', '"row %d"', 'lzma.open(folder + "/t", "rt").read()'),
    _with("open read", "kept", 'with open(folder + "/lines") as lines', before=LINES, inside="next(lines)", after="lines.closed"),
    _with("codecs open", "held", 'with codecs.open(folder + "/lines", encoding="utf-8") as lines', before=LINES,
          inside="next(lines)"),
    _with("zip write", "held", 'with zipfile.ZipFile(folder + "/z", "w") as out',
          inside='out.writestr("m", "x" * len(seen)) or len(out.namelist())',
          after='zipfile.ZipFile(folder + "/z").testzip()'),
    _with("tar write", "held", 'with tarfile.open(folder + "/t", "w") as out', before=LINES,
          inside='out.add(folder + "/lines", f"m{len(seen)}")', after='tarfile.open(folder + "/t").getnames()'),
    _with("TemporaryDirectory", "held", "with tempfile.TemporaryDirectory() as path", inside="os.path.isdir(path)",
          after="os.path.isdir(path)"),
    _with("NamedTemporaryFile", "held", 'with tempfile.NamedTemporaryFile("w+") as file',
          inside='(file.write("x"), file.flush(), len(open(file.name).read()))[0]', after="os.path.exists(file.name)"),
    _with("TemporaryFile", "held", 'with tempfile.TemporaryFile("w+") as file', inside='file.write("xy") and file.tell()'),
    _with("SpooledTemporaryFile", "held", 'with tempfile.SpooledTemporaryFile(mode="w+") as file',
          inside='file.write("xy") and file.tell()'),
    _with("StringIO", "kept", "with io.StringIO() as text", inside='text.write("xy") and text.getvalue()'),
    _with("BytesIO", "kept", "with io.BytesIO() as text", inside='text.write(b"xy") and text.getvalue()'),
    _with("scandir", "held", "with os.scandir(folder) as names", before=LINES, inside="[each.name for each in names]"),
    _with("mmap", "held", "with mmap.mmap(-1, 10) as memory", inside='memory.write(b"ab") and memory[:4]'),
    _with("shelve", "held", 'with shelve.open(folder + "/s") as shelf', inside='shelf.update(n=len(seen)) or shelf["n"]'),
    _with("fileinput", "held", 'with fileinput.input(folder + "/lines") as lines', before=LINES, inside="next(lines)"),
    _row("csv reader", "kept", f"""
        {LINES}
        with open(folder + "/lines") as file:
            rows = csv.reader(file)
            seen = [next(rows)]
            await one()
            seen.append(next(rows))
            await two()
            return seen, list(rows)
    """),
    _row("csv writer", "kept", """
        with open(folder + "/t", "w") as file:
            rows = csv.writer(file)
            rows.writerow([1])
            await one()
            rows.writerow([2])
            await two()
            rows.writerow([3])
        return open(folder + "/t").read()
    """),
    _row("Popen", "held", """
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            process.stdin.write("a")
            await one()
            process.stdin.write("b")
            await two()
            return process.communicate("c")[0]
    """),
    _row("asyncio subprocess", "held", """
        process = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
        process.stdin.write(b"a")
        await one()
        process.stdin.write(b"b")
        await two()
        return (await process.communicate(b"c"))[0]
    """),
    _row("socket pair", "held", """
        a, b = socket.socketpair()
        with a, b:
            a.send(b"1")
            await one()
            a.send(b"2")
            await two()
            return b.recv(10)
    """),
    _row("http.client", "held", """
        connection = http.client.HTTPConnection(os.environ["HTTP"].removeprefix("http://"))
        connection.request("GET", "/")
        response = connection.getresponse()
        seen = [response.readline()]
        await one()
        seen.append(response.readline())
        await two()
        return seen, response.read()
    """),
    _row("urlopen", "held", """
        with urllib.request.urlopen(os.environ["HTTP"]) as response:
            seen = [response.readline()]
            await one()
            seen.append(response.readline())
            await two()
            return seen, response.read()
    """),
    _row("open_connection", "held", """
        host, port = os.environ["HTTP"].removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
        await one()
        seen = [await reader.readline()]
        await two()
        writer.close()
        return seen
    """),
]  # fmt: skip

BLOCKS = [
    _with("closing", "kept", "with contextlib.closing(io.StringIO()) as text", inside='text.write("x")', after="text.closed"),
    _row("suppress", "kept", """
        with contextlib.suppress(KeyError):
            await one()
            await two()
            raise KeyError
        return "suppressed"
    """),
    _with("nullcontext", "kept", "with contextlib.nullcontext(7) as seven", inside="seven"),
    _row("redirect_stdout", "kept", """
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            print("a")
            await one()
            print("b")
            await two()
            print("c")
        return text.getvalue()
    """),
    _row("ExitStack", "kept", """
        done = []
        with contextlib.ExitStack() as stack:
            stack.callback(done.append, 1)
            await one()
            stack.callback(done.append, 2)
            await two()
        return done
    """),
    _row("AsyncExitStack", "kept", """
        async with contextlib.AsyncExitStack() as stack:
            name = stack.enter_context(tempfile.TemporaryDirectory())
            await one()
            found = os.path.isdir(name)
            await two()
            found = found, os.path.isdir(name)
        return found, os.path.isdir(name)
    """),
    _with("localcontext", "kept", "with decimal.localcontext(prec=5)", inside="str(decimal.Decimal(1) / 3)"),
    _row("catch_warnings", "kept", """
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            await one()
            warnings.warn("a")
            await two()
            warnings.warn("b")
        return [str(each.message) for each in seen][-1]
    """),
    _with("mock.patch", "held", 'with unittest.mock.patch("rows.PATCHED", 2)', inside="PATCHED", after="PATCHED"),
    _with("mock.patch.dict", "held", 'with unittest.mock.patch.dict(os.environ, {"PATCHED": "x"})',
          inside='os.environ.get("PATCHED")', after='os.environ.get("PATCHED")'),
    _with("threading.Lock", "held", "with threading.Lock()"),
    _with("threading.RLock", "held", "with threading.RLock()"),
    _with("threading.Condition", "held", "with threading.Condition()"),
    _with("threading.Semaphore", "held", "with threading.Semaphore()"),
    _with("asyncio.Lock", "kept", "async with lock", before="lock = asyncio.Lock()", inside="lock.locked()",
          after="lock.locked()"),
    _with("asyncio.Semaphore", "kept", "async with slots", before="slots = asyncio.Semaphore(1)", inside="slots.locked()",
          after="slots.locked()"),
    _with("asyncio.Condition", "kept", "async with c", before="c = asyncio.Condition()", inside="c.locked()", after="c.locked()"),
    _with("asyncio.timeout", "kept", "async with asyncio.timeout(1000) as limit", inside="limit.expired()"),
    _row("TaskGroup", "kept", """
        async with asyncio.TaskGroup() as group:
            first = group.create_task(one())
            await first
            second = group.create_task(two())
        return first.done(), second.done()
    """),
    _row("ThreadPoolExecutor", "kept", """
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            seen = [pool.submit(len, "a").result()]
            await one()
            seen.append(pool.submit(len, "ab").result())
            await two()
            return seen, pool.submit(len, "abc").result()
    """),
    _keep("Profile", "kept", "cProfile.Profile()", "1"),
    _keep("Event", "kept", "threading.Event()", "value.is_set()"),
    _keep("queue", "held", "queue.SimpleQueue()", "value.put(1) or value.qsize()"),
    _keep("queue.Queue", "kept", "queue.Queue()", "value.put(1) or value.qsize()"),
    _keep("thread local", "kept", "threading.local()", "value.__dict__.setdefault('n', 1)"),
    _keep("Future", "held", "concurrent.futures.Future()", "value.done()"),
    _keep("logger", "kept", "logging.getLogger('x')", "value.name"),
    _keep("StreamHandler", "kept", "logging.StreamHandler(io.StringIO())", "value.level"),
    _keep("context", "kept", "contextvars.copy_context()", "len(value) >= 0"),
    _keep("weakref", "kept", "weakref.WeakValueDictionary()", "len(value)"),
    _keep("selector", "held", "selectors.DefaultSelector()", "len(value.get_map())"),
]  # fmt: skip

SOME = "[1, 2, 3, 4, 5]"
ITERATORS = [
    *(_next(text.partition("(")[0] or text, "kept", text) for text in (
        "iter([1, 2, 3, 4])", "iter_((1, 2, 3, 4))", "reversed([1, 2, 3, 4])", "enumerate('abcd')", "zip('abcd', 'efgh')",
        "map(str, [1, 2, 3, 4])", "filter(None, [1, 2, 3, 4])", "itertools.chain([1, 2], [3, 4])",
        "itertools.islice(itertools.count(), 4)", "itertools.accumulate([1, 2, 3, 4])", "itertools.product('ab', 'cd')",
        "itertools.permutations('abc')", "itertools.combinations('abcd', 2)", "itertools.zip_longest('ab', 'cdef')",
        "itertools.takewhile(bool, [1, 2, 3, 0])", "itertools.dropwhile(bool, [1, 0, 3, 4, 5])", "itertools.pairwise('abcde')",
        "itertools.starmap(pow, [(1, 2), (2, 2), (3, 2)])", "itertools.compress('abcd', [1, 1, 1, 1])",
        "itertools.repeat(7, 4)", "iter_(dict(a=1, b=2, c=3))", "iter_(dict(a=1, b=2, c=3).items())",
        "iter_(collections.deque('abcd'))", "iter_(array.array('i', [1, 2, 3]))", "iter_(memoryview(b'abcd'))",
        "iter_(range(4))", "iter_(b'abcd')", "iter_('abcd')", "collections.Counter('aabbcc').elements()",
    )),
    _next("tee", "kept", "itertools.tee(iter([1, 2, 3, 4]))[1]"),
    _next("groupby", "kept", "(key for key, _ in itertools.groupby('aabbcc'))"),
    _next("finditer", "held", "(found.group() for found in re.finditer('.', 'abcd'))"),
    _next("mapped finditer", "held", "map(re.Match.group, re.finditer('.', 'abcd'))"),
    _next("iter_unpack", "held", "struct.iter_unpack('B', b'abcd')"),
    _next("heapq.merge", "kept", "heapq.merge([1, 3], [2, 4])"),
    _next("os.walk", "held", "(os.makedirs(folder + '/a/b/c', exist_ok=True), map(len, os.walk(folder)))[1]"),
    _next("glob", "kept", "([open(f'{folder}/{n}', 'w') for n in 'abc'], map(len, glob.iglob('*', root_dir=folder)))[1]"),
    _next("difflib", "kept", "difflib.ndiff(['a', 'b'], ['a', 'c'])"),
    _next("tokenize", "held" if sys.version_info >= (3, 12) else "kept", 
          "map(str, tokenize.generate_tokens(io.StringIO('a').readline))"),
    _next("csv of a list", "kept", "csv.reader(['a,b', 'c,d', 'e,f'])"),
    _next("xml iterparse", "held", "map(str, (x[0] for x in xml.etree.ElementTree.iterparse(io.StringIO('<a><b/><c/></a>'))))"),
    _next("ast.walk", "kept", "map(lambda n: type(n).__name__, ast.walk(ast.parse('a = 1')))"),
    _keep("Random", "kept", "random.Random(1)", "value.random()"),
    _keep("sha256", "held", "hashlib.sha256()", "value.update(b'a') or value.hexdigest()"),
    _keep("hmac", "held", "hmac.new(b'k', digestmod='sha256')", "value.update(b'a') or value.hexdigest()"),
    _keep("compressobj", "held", "zlib.compressobj()", "value.compress(b'a') and 1"),
    _keep("decoder", "kept", "codecs.getincrementaldecoder('utf-8')()", "value.decode(b'a')"),
    _keep("match", "kept", "re.match('a(.)', 'ab')", "value.group(1)"),
    _keep("pattern", "kept", "re.compile('a')", "value.pattern"),
    _keep("scanner", "held", "re.compile('.').scanner('abcdef')", "value.match().group()"),
    _keep("partial", "kept", "functools.partial(pow, 2)", "value(3)"),
    _keep("parser", "kept", "configparser.ConfigParser()", "value.sections()"),
    _keep("namespace", "kept", "types.SimpleNamespace(n=[])", "value.n.append(1) or len(value.n)"),
    _keep("struct", "kept", "struct.Struct('i')", "value.size"),
    _keep("element", "kept", "xml.etree.ElementTree.fromstring('<a><b/></a>')", "len(value)"),
    _keep("email", "kept", "email.message_from_string('Subject: a\\n\\nb')", "value['subject']"),
    _keep("mappingproxy", "kept", "types.MappingProxyType({'a': 1})", "dict(value)"),
    _keep("zoneinfo", "kept", "zoneinfo.ZoneInfo('UTC')", "str(value)"),
]  # fmt: skip

TABLE = (
    'sqlite3.connect(folder + "/db").executescript('
    '"drop table if exists t; create table t (n); insert into t values (1), (2), (3), (4)")'
)
ALCHEMY = 'sqlalchemy.create_engine(f"sqlite:///{folder}/db")'
COUNT = 'sqlite3.connect(folder + "/db").execute("select count(*) from t").fetchall()'
DATABASES = [
    _row("sqlite3 block", "held", f"""
        {TABLE}
        db = sqlite3.connect(folder + "/db", timeout=60)
        with db:
            db.execute("insert into t values (5)")
            await one()
            db.execute("insert into t values (6)")
            await two()
        return {COUNT}
    """),
    _row("sqlite3 connection", "kept", f"""
        {TABLE}
        db = sqlite3.connect(folder + "/db")
        db.row_factory = sqlite3.Row
        cursor = db.cursor()
        await one()
        first = [row["n"] for row in cursor.execute("select n from t")]
        await two()
        return first, [row["n"] for row in cursor.execute("select n from t")], len(cursor.description)
    """),
    _row("sqlite3 cursor", "held", f"""
        {TABLE}
        cursor = sqlite3.connect(folder + "/db").execute("select n from t")
        seen = [cursor.fetchone()]
        await one()
        seen.append(cursor.fetchone())
        await two()
        return seen, cursor.fetchall()
    """),
    _row("sqlite3 rows", "kept", f"""
        {TABLE}
        db = sqlite3.connect(folder + "/db")
        db.row_factory = sqlite3.Row
        rows = db.execute('select n, n + 1 as "a ""b", n as n from t').fetchall()
        del db
        await one()
        same = list(rows)
        await two()
        return [dict(row) for row in rows], rows[0]["N"], rows[0].keys(), rows[0] is same[0], rows[0] == rows[1], len(set(rows))
    """),
    _row("aiosqlite", "kept", f"""
        {TABLE}
        async with aiosqlite.connect(folder + "/db") as db:
            await db.execute("insert into t values (5)")
            await db.commit()
            await one()
            await db.execute("insert into t values (6)")
            await db.commit()
            await two()
        return {COUNT}
    """),
    _row("aiosqlite transaction", "held", f"""
        {TABLE}
        async with aiosqlite.connect(folder + "/db") as db:
            await db.execute("insert into t values (5)")
            await one()
            await db.execute("insert into t values (6)")
            await two()
            await db.commit()
        return {COUNT}
    """),
    _row("aiosqlite cursor", "held", f"""
        {TABLE}
        async with aiosqlite.connect(folder + "/db") as db, db.execute("select n from t") as cursor:
            seen = [await cursor.fetchone()]
            await one()
            seen.append(await cursor.fetchone())
            await two()
            return seen, [tuple(row) for row in await cursor.fetchall()]
    """),
    _row("aiosqlite rows", "held", f"""
        {TABLE}
        seen = []
        async with aiosqlite.connect(folder + "/db") as db:
            async for row in await db.execute("select n from t"):
                seen.append(row[0])
                if row[0] < 3:
                    await (one() if row[0] == 1 else two())
        return seen
    """),
    _row("engine", "kept", f"""
        {TABLE}
        engine = {ALCHEMY}
        await one()
        with engine.connect() as db:
            seen = [tuple(row) for row in db.execute(sqlalchemy.text("select n from t"))]
        await two()
        return seen, {COUNT}
    """),
    _row("engine.connect", "kept", f"""
        {TABLE}
        with {ALCHEMY}.connect() as db:
            db.execute(sqlalchemy.text("insert into t values (5)"))
            db.commit()
            await one()
            seen = db.execute(sqlalchemy.text("select n from t")).all()
            db.rollback()
            await two()
            return len(seen), {COUNT}
    """),
    _row("engine.begin", "held", f"""
        {TABLE}
        engine = {ALCHEMY}
        with engine.begin() as db:
            db.execute(sqlalchemy.text("insert into t values (5)"))
            await one()
            db.execute(sqlalchemy.text("insert into t values (6)"))
            await two()
        return {COUNT}
    """),
    _row("session", "held", f"""
        {TABLE}
        with sqlalchemy.orm.Session({ALCHEMY}) as session:
            session.execute(sqlalchemy.text("insert into t values (5)"))
            await one()
            session.execute(sqlalchemy.text("insert into t values (6)"))
            await two()
            session.commit()
        return {COUNT}
    """),
    _row("async session", "held", f"""
        {TABLE}
        engine = sqlalchemy.ext.asyncio.create_async_engine(f"sqlite+aiosqlite:///{{folder}}/db", echo=False, pool_pre_ping=True)
        async with sqlalchemy.ext.asyncio.AsyncSession(engine) as session, session.begin():
            await session.execute(sqlalchemy.text("insert into t values (5)"))
            await one()
            await session.execute(sqlalchemy.text("insert into t values (6)"))
            await two()
        return {COUNT}
    """),
    _row("result", "held", f"""
        {TABLE}
        with {ALCHEMY}.connect() as db:
            rows = db.execute(sqlalchemy.text("select n from t"))
            seen = [tuple(rows.fetchone())]
            await one()
            seen.append(tuple(rows.fetchone()))
            await two()
            return seen, [tuple(row) for row in rows]
    """),
    _row("redis", "kept", """
        async with redis.asyncio.from_url(os.environ["REDIS"]) as client:
            await client.delete(folder)
            await one()
            await client.rpush(folder, "a")
            await two()
            await client.rpush(folder, "b")
            return await client.lrange(folder, 0, -1)
    """),
    _row("redis pipeline", "held", """
        client = redis.asyncio.from_url(os.environ["REDIS"])
        async with client.pipeline() as pipe:
            pipe.delete(folder)
            pipe.rpush(folder, "a")
            await one()
            pipe.rpush(folder, "b")
            await two()
            await pipe.execute()
        return await client.lrange(folder, 0, -1)
    """),
    _row("redis pipeline, sent", "kept", """
        client = redis.asyncio.from_url(os.environ["REDIS"])
        pipe = client.pipeline()
        await pipe.delete(folder).rpush(folder, "a").execute()
        await one()
        await pipe.rpush(folder, "b").execute()
        await two()
        await pipe.rpush(folder, "c").execute()
        return await client.lrange(folder, 0, -1)
    """),
    _row("redis lock, free", "kept", """
        client = redis.asyncio.from_url(os.environ["REDIS"])
        lock = client.lock(folder + " lock", timeout=60)
        async with lock:
            pass
        await one()
        async with lock:
            pass
        await two()
        async with lock:
            return await lock.owned()
    """),
    _row("redis lock", "held", """
        client = redis.asyncio.from_url(os.environ["REDIS"])
        async with client.lock(folder + " lock", timeout=1):
            await one()
            await two()
        return await client.exists(folder + " lock")
    """),
    _row("redis pubsub", "held", """
        client = redis.asyncio.from_url(os.environ["REDIS"])
        async with client.pubsub() as channel:
            await channel.subscribe(folder)
            await one()
            await client.publish(folder, "a")
            await two()
            while (message := await channel.get_message(timeout=1))["type"] == "subscribe":
                pass
            return message["data"]
    """),
]  # fmt: skip

SHOWN = [
    _row("tqdm", "kept", """
        with tqdm.tqdm(total=3, file=io.StringIO()) as bar:
            bar.update()
            await one()
            bar.update()
            await two()
            return bar.total
    """),
    _row("tqdm loop", "kept", """
        seen = []
        for n in tqdm.tqdm([1, 2, 3], file=io.StringIO()):
            seen.append(n)
            if n < 3:
                await (one() if n == 1 else two())
        return seen
    """),
    _row("rich progress", "kept", """
        with rich.progress.Progress(console=rich.console.Console(file=io.StringIO())) as progress:
            await one()
            await two()
            return len(progress.tasks)
    """),
    _row("rich status", "kept", """
        console = rich.console.Console(file=io.StringIO())
        with console.status("x"):
            await one()
            await two()
            return console.is_terminal
    """),
    _keep("rich table", "kept", "rich.table.Table('a')", "value.row_count"),
    _with("errstate", "held", 'with numpy.errstate(divide="raise")', inside='numpy.geterr()["divide"]'),
    _keep("array", "kept", "numpy.arange(3)", "value.tolist()"),
    _keep("generator", "kept", "numpy.random.default_rng(1)", "float(value.random())"),
    _keep("nditer", "held", "numpy.nditer(numpy.arange(6))", "int(value.iternext())"),
    _next("flatiter", "held", "map(int, numpy.arange(4).flat)"),
    _row("memmap", "held", """
        array = numpy.memmap(folder + "/m", "int64", "w+", shape=3)
        array[0] = 1
        await one()
        array[1] = 2
        await two()
        array[2] = 3
        array.flush()
        return numpy.fromfile(folder + "/m", "int64").tolist()
    """),
    _row("anyio group", "kept", """
        async with anyio.create_task_group() as group:
            group.start_soon(one)
            await anyio.sleep(0.01)
            await two()
        return "done"
    """),
    _with("anyio scope", "kept", "with anyio.move_on_after(1000) as scope", inside="scope.cancel_called"),
    _with("anyio lock", "kept", "async with lock", before="lock = anyio.Lock()", inside="lock.locked()", after="lock.locked()"),
    _row("anyio stream", "kept", """
        send, receive = anyio.create_memory_object_stream(5)
        async with send, receive:
            await send.send(1)
            await one()
            await send.send(2)
            await two()
            return await receive.receive(), await receive.receive()
    """),
    _row("anyio file", "kept", f"""
        {LINES}
        async with await anyio.open_file(folder + "/lines") as file:
            seen = [await file.readline()]
            await one()
            seen.append(await file.readline())
            await two()
            return seen, await file.readline()
    """),
    _row("tenacity", "kept", """
        seen = []
        async for attempt in tenacity.AsyncRetrying(stop=tenacity.stop_after_attempt(3)):
            with attempt:
                seen.append(attempt.retry_state.attempt_number)
                if attempt.retry_state.attempt_number == 1:
                    await one()
                    raise ValueError
                await two()
                if attempt.retry_state.attempt_number == 2:
                    raise ValueError
        return seen, attempt.retry_state.outcome.failed
    """),
    _row("stamina", "kept", """
        seen = []
        async for attempt in stamina.retry_context(on=ValueError, attempts=3, wait_initial=0.001, wait_jitter=0):
            with attempt:
                seen.append(attempt.num)
                if attempt.num == 1:
                    await one()
                    raise ValueError
                await two()
                if attempt.num == 2:
                    raise ValueError
        return seen
    """),
    _keep("model", "kept", "Model(n=1)", "value.n"),
    _keep("sorted list", "kept", "sortedcontainers.SortedList([3, 1])", "list(value)"),
    _row("structlog variables", "kept", """
        structlog.contextvars.bind_contextvars(user="u")
        with structlog.contextvars.bound_contextvars(user="v", request=1):
            await one()
            inner = sorted(structlog.contextvars.get_contextvars().items())
            await two()
            inner += sorted(structlog.contextvars.get_contextvars().items())
        return inner, sorted(structlog.contextvars.get_contextvars().items())
    """),
    _keep("structlog", "kept", "structlog.get_logger().bind(a=1)", "structlog.get_context(value)"),
    _keep("multidict", "kept", "multidict.CIMultiDict(a=1)", "value['A']"),
    _keep("url", "kept", "yarl.URL('http://a/b')", "value.path"),
]  # fmt: skip

TEXT = 'os.environ["HTTP"]'
OPENAI = 'openai.AsyncOpenAI(base_url=os.environ["HTTP"])'
ANTHROPIC = 'anthropic.AsyncAnthropic(base_url=os.environ["HTTP"])'
MESSAGES = 'model="m", messages=[{"role": "user", "content": "x"}]'
STREAMED = """
    seen = []
    async for part in stream:
        seen.append(PART)
        if len(seen) == 1:
            await one()
            await two()
    return seen
"""
NETWORK = [
    _row("httpx", "kept", f"""
        async with httpx.AsyncClient() as client:
            seen = [(await client.get({TEXT})).text]
            await one()
            seen.append((await client.get({TEXT})).text)
            await two()
            return seen, (await client.get({TEXT})).text
    """),
    _row("httpx stream", "held", f"""
        async with httpx.AsyncClient() as client, client.stream("GET", {TEXT}) as response:
            lines = response.aiter_lines()
            seen = [await anext(lines)]
            await one()
            seen.append(await anext(lines))
            await two()
            return seen, await anext(lines)
    """),
    _row("httpx response", "kept", f"""
        response = await httpx.AsyncClient().get({TEXT})
        await one()
        await two()
        return response.text
    """),
    _row("aiohttp", "kept", f"""
        async with aiohttp.ClientSession() as session:
            async with session.get({TEXT}) as response:
                seen = [await response.text()]
            await one()
            async with session.get({TEXT}) as response:
                seen.append(await response.text())
            await two()
        return seen
    """),
    _row("aiohttp response", "held", f"""
        async with aiohttp.ClientSession() as session, session.get({TEXT}) as response:
            seen = [await response.content.readline()]
            await one()
            seen.append(await response.content.readline())
            await two()
            return seen, await response.content.readline()
    """),
    _row("websockets", "held", """
        async with websockets.connect(os.environ["WS"]) as connection:
            await connection.send("a")
            await one()
            seen = [await connection.recv()]
            await connection.send("b")
            await two()
            return seen, await connection.recv()
    """),
    _row("urllib3", "kept", f"""
        with urllib3.PoolManager() as pool:
            seen = [pool.request("GET", {TEXT}).data]
            await one()
            seen.append(pool.request("GET", {TEXT}).data)
            await two()
            return seen
    """),
]  # fmt: skip

MODELS = [
    _row("openai", "kept", f"""
        client = {OPENAI}
        await one()
        await two()
        return str(client.base_url) == os.environ["HTTP"] + "/"
    """),
    _row("openai stream", "held", f"""
        stream = await {OPENAI}.chat.completions.create({MESSAGES}, stream=True)
        {indent(dedent(STREAMED).strip(), " " * 8).strip().replace("PART", "part.choices[0].delta.content")}
    """),
    _row("anthropic", "kept", f"""
        client = {ANTHROPIC}
        await one()
        await two()
        return str(client.base_url) == os.environ["HTTP"] + "/"
    """),
    _row("anthropic stream", "held", f"""
        async with {ANTHROPIC}.messages.stream(max_tokens=9, {MESSAGES}) as streaming:
            stream = streaming.text_stream
            {indent(dedent(STREAMED).strip(), " " * 12).strip().replace("PART", "part")}
    """),
]  # fmt: skip

GROUPS: dict[str, list[Row]] = {
    "files": FILES, "blocks": BLOCKS, "iterators": ITERATORS, "databases": DATABASES, "shown": SHOWN, "network": NETWORK,
    "models": MODELS,
}  # fmt: skip
MODULES = {
    "files": "bz2 codecs csv fileinput gzip http.client io lzma mmap shelve socket subprocess tarfile tempfile urllib.request"
    " zipfile",
    "blocks": "cProfile concurrent.futures contextlib contextvars decimal io logging queue selectors tempfile threading"
    " unittest.mock warnings weakref",
    "iterators": "array ast codecs collections configparser csv difflib email functools glob hashlib heapq hmac io itertools"
    " random re struct tokenize types xml.etree.ElementTree zlib zoneinfo",
    "databases": "aiosqlite redis.asyncio sqlalchemy sqlalchemy.ext.asyncio sqlalchemy.orm sqlite3",
    "shown": "anyio io multidict numpy rich.console rich.progress rich.table sortedcontainers stamina structlog tenacity tqdm"
    " yarl",
    "network": "aiohttp httpx urllib3 websockets",
    "models": "anthropic openai",
}


def source_of(rows: list[Row]) -> str:
    """The module with the rows as async functions, in ``ROWS`` by their names."""
    group = next(name for name, each in GROUPS.items() if each is rows)
    head = ["# durable: on", "import asyncio, os", "import steps", *(f"import {name}" for name in MODULES[group].split())]
    head += ["from steps import Model"] if "Model(" in "".join(row.body for row in rows) else []
    head += ["PATCHED = 1", "iter_ = iter", "ROWS = {}"]
    for number, row in enumerate(rows):
        head += [
            f"async def row_{number}(folder):",
            f"    def one(): return steps.step({row.name!r}, 1)",
            f"    def two(): return steps.step({row.name!r}, 2)",
            indent(row.body, "    "),
            f"ROWS[{row.name!r}] = row_{number}",
        ]
    return "\n".join(head) + "\n"
