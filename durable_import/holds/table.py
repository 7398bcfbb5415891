"""What is known of libraries' objects, one line each; nothing is imported for it.

A name is ``module:Qualname`` of a class, which stands for its subclasses too, or of a function that gives managers
(``contextlib.contextmanager``) or objects. Where a library shows a class under another module than it is defined in, both are
here. The kinds:

- reopenable: it holds nothing of the program's. It is saved as the call that made it, made again on resume, and entered again;
- entered again: it is made and entered by evaluating its ``with`` once more, with the variables as they are then;
- saved: it is right when it is saved, with what is in it;
- holds: while it is open, or can be read, no checkpoint is made.

``value``: what is to be said of what it gives, or of itself, where that cannot be saved.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from .jobs import JOBS
from .progress import TASKS


class Kind(Enum):
    """What an open manager, or an object that is alive, means for checkpoints."""

    REOPENABLE = "reopenable"
    ENTERED_AGAIN = "entered again"  # as its ``with`` says, in the context of its task
    SAVED = "saved"
    SAVED_IF_PICKLABLE = "saved if it can be pickled"  # which is known when it is saved
    HOLDS = "holds"


class Known(NamedTuple):
    """A line of the table. ``advice``: what to do about what holds; ``is_of_block``: when a block is open, else it does not fit.

    Of a reopenable class:

    ``opens``, ``ends``: the methods that open it besides entering, and those that end it. ``busy``, ``ended``: what to ask an
    object, attributes or methods, whether it holds now, and whether it was ended. ``frees``: methods that end what they get.
    ``closes``: whether one that was made and never opened can be ended too: so one that was ended is saved, and is so again.
    ``sets``: methods that take a statement which may set it (see ``session_settings``); ``execute`` makes that again, and then
    what ``confirms``. ``keeps``: the attributes that the program may set, and which it has again (see ``kept``).
    ``by_function``: it is made by functions of the table only, and its library reads the code of its ``__init__``.
    ``may_be_in_memory``: its arguments may say that its data are in this process alone.

    ``spent``: what to ask of a response whether it has been read to its end. Then its block holds no more, and to leave it does
    nothing; of kind SAVED it is right from then on. A generator's manager is asked for what the variables of its function are.
    """

    kind: Kind
    advice: str = ""
    opens: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    frees: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    may_be_in_memory: bool = False
    is_of_block: bool = False
    spent: tuple[str, ...] = ()
    closes: bool = False
    sets: tuple[str, ...] = ()
    confirms: str = ""
    by_function: bool = False


_TRANSACTION = "commit, or roll back, before what takes long: nothing is saved while a transaction is open"


def _reopenable(opens: str = "", ends: str = "", busy: str = "", ended: str = "", frees: str = "", keeps: str = "") -> Known:
    opening, ending, holding, over, freeing, set_later = (
        tuple(text.split()) for text in (opens, ends, busy, ended, frees, keeps)
    )
    return Known(Kind.REOPENABLE, _TRANSACTION if busy else "", opening, ending, holding, over, freeing, set_later)


def _client(ends: str, ended: str, keeps: str = "") -> Known:
    return _reopenable(ends=ends, ended=ended, keeps=keeps)._replace(closes=True)


_SAVED, _HOLDS = Known(Kind.SAVED), Known(Kind.HOLDS)


def _holds(advice: str) -> Known:
    return Known(Kind.HOLDS, advice)


def _block_of(advice: str) -> Known:
    return Known(Kind.HOLDS, advice, is_of_block=True)


def _response(spent: str, kind: Kind = Kind.HOLDS, advice: str = "") -> Known:
    return Known(kind, advice or _STREAM, spent=tuple(spent.split()))


PROXY = "_proxy"  # of a connection of asyncpg that a pool has given: what the program has of it
_COMMIT = "keep the block short: what is done in it since the last checkpoint is done again after a crash"
_STREAM = "it is read again from its beginning after a crash; keep what you need of it as plain values"
_READ = "read it (`await response.aread()`) before the checkpoint"
_READ_ROWS = "fetch the rows into a list, and keep plain values of them: `[dict(row) for row in rows]`"
_ROW = "keep plain values of it: `dict(row)` or `tuple(row)`"
_WRITER = "write it in one plain function that `asyncio.to_thread` calls"
_CONNECTION = "a connection of this process; what came and was not read is gone with it"
_SERVER = "a server of this process; start it outside of instances"
_BRIEF = "keep awaits out of the block"
_BLOCK_COMMITS = "its block commits when it is left; keep the block short"
_QUEUED = "what was queued and not sent is gone with this process: call `execute()` before the next await"
_LISTENING = "messages that come while nobody listens are lost; a stream (`xread`) keeps them"
_DISTRIBUTED = "another process may have got the lock meanwhile; keep the block short"
_UNSAVED = "in_transaction new dirty deleted identity_map"
_SESSION = "commit, or roll back, and then let go of what it has loaded: end its block, or `session.expunge_all()`"
_PROCESS = "it belongs to this process; wait for it in one step"
_LOCK = "asyncio.Lock is part of the state and holds nothing"
_SCOPE = "name the library in `install(modules=[...])`, or use asyncio's own: its groups, timeouts and locks are saved"

# By the classes that programs call, whose arguments have no secret that they take from the environment by themselves.
_OF_OPENAI = (
    "openai:OpenAI", "openai:AsyncOpenAI", "openai.lib.azure:AzureOpenAI", "openai.lib.azure:AsyncAzureOpenAI",
)  # fmt: skip
_OF_ANTHROPIC = (
    "anthropic:Anthropic", "anthropic:AsyncAnthropic", "anthropic.lib.bedrock._client:AnthropicBedrock",
    "anthropic.lib.bedrock._client:AsyncAnthropicBedrock", "anthropic.lib.vertex._client:AnthropicVertex",
    "anthropic.lib.vertex._client:AsyncAnthropicVertex",
)  # fmt: skip

# The attributes behind the properties, where the setters of these add to what is there, or may only be called when it is open.
_OF_HTTPX = (
    "_auth _base_url _cookies.jar._cookies _event_hooks _headers _params _timeout follow_redirects max_redirects"
)  # fmt: skip
_JAR = (
    "_cookies _host_only_cookies _expire_heap _expirations _access_generations _next_access_generation _domain_counts "
    "_cookie_count"
)
_OF_SESSION = " ".join(["_default_headers", "_default_auth", *(f"_cookie_jar.{name}" for name in _JAR.split())])
_OF_REQUESTS = "auth cert cookies headers hooks max_redirects params proxies stream trust_env verify"
_OF_PSYCOPG = (
    "row_factory cursor_factory server_cursor_factory _autocommit _isolation_level _read_only _deferrable _begin_statement "
    "_prepared.prepare_threshold _prepared.prepared_max"
)
_OF_MODEL = "api_key auth_token organization project max_retries timeout _base_url _custom_headers _custom_query"
_OF_ORM = "autoflush expire_on_commit info"
_OF_ASYNC_ORM = "sync_session.autoflush sync_session.expire_on_commit sync_session.info"

TABLE: dict[str, Known] = {
    # --- HTTP
    "httpx:Client": _client(ends="close", ended="is_closed", keeps=_OF_HTTPX),
    "httpx:AsyncClient": _client(ends="aclose", ended="is_closed", keeps=_OF_HTTPX),
    "httpx._client:BaseClient": _reopenable(),
    "httpx:Response": _response("is_closed", Kind.SAVED, _READ),
    "httpx:stream": _response("response.is_closed"),
    "httpx._api:stream": _response("response.is_closed"),
    "httpx._client:Client.stream": _response("response.is_closed"),
    "httpx._client:AsyncClient.stream": _response("response.is_closed"),
    "httpx_sse._api:connect_sse": _response("response.is_closed"),
    "httpx_sse._api:aconnect_sse": _response("response.is_closed"),
    "httpx2:Client": _client(ends="close", ended="is_closed", keeps=_OF_HTTPX),
    "httpx2:AsyncClient": _client(ends="aclose", ended="is_closed", keeps=_OF_HTTPX),
    "httpx2:Response": _response("is_closed", Kind.SAVED, _READ),
    "httpx2:stream": _response("response.is_closed"),
    "httpx2._api:stream": _response("response.is_closed"),
    "httpx2._client:Client.stream": _response("response.is_closed"),
    "httpx2._client:AsyncClient.stream": _response("response.is_closed"),
    "httpx2._client:Client.sse": _response("response.is_closed"),
    "httpx2._client:AsyncClient.sse": _response("response.is_closed"),
    "aiohttp.client:ClientSession": _client(ends="close", ended="closed", keeps=_OF_SESSION),
    "aiohttp.connector:BaseConnector": _client(ends="close", ended="closed"),
    "aiohttp.client_reqrep:ClientResponse": _holds("keep what you need of it: its status, `await response.text()`"),
    "aiohttp.client:_BaseRequestContextManager": _response("_resp.closed"),
    "aiohttp.client:_RequestContextManager": _response("_resp.closed"),
    "aiohttp.client:_SessionRequestContextManager": _response("_resp.closed"),
    "aiohttp.client:_WSRequestContextManager": _holds(_CONNECTION),
    "aiohttp.streams:StreamReader": _holds(_STREAM),
    "aiohttp.streams:AsyncStreamIterator": _holds(_STREAM),
    "aiohttp.streams:ChunkTupleAsyncStreamIterator": _holds(_STREAM),
    "aiohttp.client_ws:ClientWebSocketResponse": _holds(_CONNECTION),
    "requests.sessions:Session": _reopenable(ends="close", keeps=_OF_REQUESTS),
    "requests.models:Response": _response("_content_consumed", Kind.SAVED, "read it (`response.content`) before the checkpoint"),
    "urllib3.poolmanager:PoolManager": _reopenable(ends="clear", keeps="headers"),
    "websockets.asyncio.client:connect": _holds(_CONNECTION),
    "websockets.asyncio.connection:Connection": _holds(_CONNECTION),
    "websockets.asyncio.server:Server": _holds(_SERVER),
    "websockets.asyncio.server:serve": _holds(_SERVER),
    "websockets.sync.connection:Connection": _holds(_CONNECTION),
    "websockets.legacy.client:Connect": _holds(_CONNECTION),
    # --- databases
    "asyncpg.connection:connect": _reopenable(),
    "asyncpg.connection:Connection": _reopenable(
        ends="close terminate", busy="is_in_transaction", ended="is_closed"
    )._replace(sets=("execute",)),
    "asyncpg.pool:Pool": _reopenable(opens="__await__", ends="close terminate", ended="is_closing", frees="release"),
    "asyncpg.pool:PoolAcquireContext": _reopenable(opens="__await__", ended="done"),
    "asyncpg.pool:PoolConnectionProxy": _reopenable(busy="is_in_transaction", ended="is_closed"),
    "asyncpg.transaction:Transaction": _block_of(_COMMIT),
    "asyncpg.cursor:CursorFactory": _holds(_READ_ROWS),
    "asyncpg.cursor:BaseCursor": _holds(_READ_ROWS),
    "asyncpg.protocol.record:Record": _holds(_ROW),
    **dict.fromkeys(
        ("psycopg:Connection", "psycopg:AsyncConnection"),
        _reopenable("", "close", "info.transaction_status", "closed", keeps=_OF_PSYCOPG)._replace(
            sets=("execute",), confirms="commit"
        ),
    ),
    "psycopg.connection:Connection.connect": _reopenable(),
    "psycopg.connection_async:AsyncConnection.connect": _reopenable(),
    "psycopg.connection:Connection.transaction": _block_of(_COMMIT),
    "psycopg.connection_async:AsyncConnection.transaction": _block_of(_COMMIT),
    "psycopg.connection:Connection.pipeline": _block_of(_COMMIT),
    "psycopg.connection_async:AsyncConnection.pipeline": _block_of(_COMMIT),
    "psycopg:Transaction": _block_of(_COMMIT),
    "psycopg:AsyncTransaction": _block_of(_COMMIT),
    "psycopg._cursor_base:BaseCursor": _holds(_READ_ROWS),
    "psycopg_pool.pool:ConnectionPool": _reopenable(opens="open", ends="close", ended="closed", frees="putconn"),
    "psycopg_pool.pool_async:AsyncConnectionPool": _reopenable(opens="open", ends="close", ended="closed", frees="putconn"),
    "psycopg_pool.pool:ConnectionPool.getconn": _reopenable(),
    "psycopg_pool.pool_async:AsyncConnectionPool.getconn": _reopenable(),
    "psycopg_pool.pool:ConnectionPool.connection": _block_of(_BLOCK_COMMITS),
    "psycopg_pool.pool_async:AsyncConnectionPool.connection": _block_of(_BLOCK_COMMITS),
    "aiosqlite.core:connect": _reopenable(),
    "aiosqlite.core:Connection": _reopenable(
        "__await__", "close", "in_transaction", keeps="row_factory text_factory isolation_level",
    )._replace(may_be_in_memory=True, sets=("_execute",)),
    "aiosqlite.context:Result": _holds(_READ_ROWS),
    "aiosqlite.cursor:Cursor": _holds(_READ_ROWS),
    "sqlite3:Connection": _reopenable(
        "create_function create_aggregate create_window_function create_collation", "close",
        "in_transaction has_more_than_its_file", keeps="row_factory text_factory isolation_level autocommit pragmas",
    )._replace(may_be_in_memory=True),
    "sqlite3:Cursor": _holds(_READ_ROWS)._replace(busy=("has_unread_rows",)),
    "sqlite3:Row": _SAVED,
    "sqlalchemy.engine.create:create_engine": _reopenable(),
    "sqlalchemy.ext.asyncio.engine:create_async_engine": _reopenable(),
    "sqlalchemy.engine.base:Engine": _reopenable()._replace(may_be_in_memory=True, by_function=True),
    "sqlalchemy.ext.asyncio.engine:AsyncEngine": _reopenable()._replace(may_be_in_memory=True),
    "sqlalchemy.engine.base:Engine.begin": _block_of(_COMMIT),
    "sqlalchemy.ext.asyncio.engine:AsyncEngine.begin": _block_of(_COMMIT),
    "sqlalchemy.engine.base:Connection": _reopenable(ends="close", busy="in_transaction", ended="closed"),
    "sqlalchemy.ext.asyncio.engine:AsyncConnection": _reopenable("__await__ start", "close", "in_transaction", "closed"),
    "sqlalchemy.engine.util:TransactionalContext": _block_of(_COMMIT),
    "sqlalchemy.ext.asyncio.engine:AsyncTransaction": _block_of(_COMMIT),
    "sqlalchemy.engine.result:Result": _holds(_READ_ROWS),
    "sqlalchemy.engine.result:ResultInternal": _holds(_READ_ROWS),
    "sqlalchemy.ext.asyncio.result:AsyncResult": _holds(_READ_ROWS),
    "sqlalchemy.orm.session:sessionmaker": _reopenable(),
    "sqlalchemy.ext.asyncio.session:async_sessionmaker": _reopenable(),
    "sqlalchemy.orm.session:sessionmaker.__call__": _reopenable(),
    "sqlalchemy.ext.asyncio.session:async_sessionmaker.__call__": _reopenable(),
    "sqlalchemy.orm.session:sessionmaker.begin": _block_of(_COMMIT),
    "sqlalchemy.ext.asyncio.session:async_sessionmaker.begin": _block_of(_COMMIT),
    "sqlalchemy.orm.session:Session": _reopenable(ends="close", busy=_UNSAVED, keeps=_OF_ORM)._replace(advice=_SESSION),
    "sqlalchemy.ext.asyncio.session:AsyncSession": _reopenable(
        "", "close", _UNSAVED, keeps=_OF_ASYNC_ORM,
    )._replace(advice=_SESSION),
    "sqlalchemy.ext.asyncio.session:_AsyncSessionContextManager": _block_of(_COMMIT),
    "sqlalchemy.ext.asyncio.session:AsyncSessionTransaction": _block_of(_COMMIT),
    "sqlalchemy.orm.session:SessionTransaction": _block_of(_COMMIT),
    "redis.client:Redis": _reopenable(ends="close"),
    "redis.asyncio.client:Redis": _reopenable(opens="initialize __await__", ends="aclose close"),
    "redis.connection:ConnectionPool": _reopenable(ends="disconnect"),
    "redis.asyncio.connection:ConnectionPool": _reopenable(ends="aclose disconnect"),
    "redis.client:Redis.from_url": _reopenable(),
    "redis.asyncio.client:Redis.from_url": _reopenable(),
    "redis.client:Redis.from_pool": _reopenable(),
    "redis.asyncio.client:Redis.from_pool": _reopenable(),
    "redis.connection:ConnectionPool.from_url": _reopenable(),
    "redis.asyncio.connection:ConnectionPool.from_url": _reopenable(),
    "redis.cluster:RedisCluster.from_url": _reopenable(),
    "redis.asyncio.cluster:RedisCluster.from_url": _reopenable(),
    **dict.fromkeys(("redis.client:Redis.pipeline", "redis.asyncio.client:Redis.pipeline"), _reopenable()),
    **dict.fromkeys(
        ("redis.client:Pipeline", "redis.asyncio.client:Pipeline"),
        _reopenable(ends="reset", busy="command_stack watching")._replace(advice=_QUEUED),
    ),
    "redis.client:PubSub": _holds(_LISTENING),
    "redis.asyncio.client:PubSub": _holds(_LISTENING),
    "redis.client:Monitor": _holds(_STREAM),
    "redis.asyncio.client:Monitor": _holds(_STREAM),
    "fakeredis._core._server:FakeServer": _holds("its data are this process's"),
    "fakeredis._clients._sync:FakeRedisMixin": _holds("its data are this process's"),
    "fakeredis._clients._async:FakeAsyncRedisMixin": _holds("its data are this process's"),
    "fakeredis._clients._sync:FakeRedis": _holds("its data are this process's"),
    "fakeredis._clients._async:FakeRedis": _holds("its data are this process's"),
    **dict.fromkeys(
        ("redis.lock:Lock", "redis.asyncio.lock:Lock"),
        _reopenable(ends="release", busy="local.token")._replace(advice=_DISTRIBUTED),
    ),
    "redis.cluster:RedisCluster": _reopenable(ends="close"),
    "redis.asyncio.cluster:RedisCluster": _reopenable(opens="initialize __await__", ends="aclose"),
    # --- clouds and models
    "aiobotocore.session:AioSession": _reopenable(),
    "aiobotocore.session:ClientCreatorContext": _reopenable(),
    "aiobotocore.session:AioSession.create_client": _reopenable(),
    "aiobotocore.client:AioBaseClient": _reopenable(),
    "aiobotocore.response:AioStreamingBodyBase": _response("raw_stream.closed raw_stream.is_closed"),
    "botocore.response:StreamingBody": _holds(_STREAM),
    **dict.fromkeys(_OF_OPENAI, _client(ends="close", ended="is_closed", keeps=_OF_MODEL)),
    "openai._base_client:BaseClient": _client(ends="close", ended="is_closed", keeps=_OF_MODEL),
    "openai:AsyncStream": _response("response.is_closed"),
    "openai:Stream": _response("response.is_closed"),
    "openai._response:AsyncResponseContextManager": _response("__response.is_closed"),
    "openai._response:ResponseContextManager": _response("__response.is_closed"),
    "openai.lib.streaming.chat._completions:AsyncChatCompletionStream": _response("_response.is_closed"),
    "openai.lib.streaming.chat._completions:AsyncChatCompletionStreamManager": _response("__stream._response.is_closed"),
    "openai.lib.streaming.chat._completions:ChatCompletionStream": _response("_response.is_closed"),
    "openai.lib.streaming.chat._completions:ChatCompletionStreamManager": _response("__stream._response.is_closed"),
    "openai.lib.streaming.responses._responses:AsyncResponseStream": _response("_response.is_closed"),
    "openai.lib.streaming.responses._responses:AsyncResponseStreamManager": _response("__stream._response.is_closed"),
    "openai.lib.streaming.responses._responses:ResponseStream": _response("_response.is_closed"),
    "openai.lib.streaming.responses._responses:ResponseStreamManager": _response("__stream._response.is_closed"),
    "openai.lib.streaming._assistants:AsyncAssistantStreamManager": _response("__stream.response.is_closed"),
    "openai.lib.streaming._assistants:AssistantStreamManager": _response("__stream.response.is_closed"),
    **dict.fromkeys(_OF_ANTHROPIC, _client(ends="close", ended="is_closed", keeps=_OF_MODEL)),
    "anthropic._base_client:BaseClient": _client(ends="close", ended="is_closed", keeps=_OF_MODEL),
    "anthropic:AsyncStream": _response("response.is_closed"),
    "anthropic:Stream": _response("response.is_closed"),
    "anthropic._response:AsyncResponseContextManager": _response("__response.is_closed"),
    "anthropic._response:ResponseContextManager": _response("__response.is_closed"),
    "anthropic.lib.streaming._messages:AsyncMessageStreamManager": _response("__stream.response.is_closed"),
    "anthropic.lib.streaming._messages:MessageStreamManager": _response("__stream.response.is_closed"),
    "anthropic.lib.streaming._messages:AsyncMessageStream": _response("response.is_closed"),
    "anthropic.lib.streaming._messages:MessageStream": _response("response.is_closed"),
    "anthropic.lib.streaming._beta_messages:BetaAsyncMessageStreamManager": _response("__stream.response.is_closed"),
    "anthropic.lib.streaming._beta_messages:BetaMessageStreamManager": _response("__stream.response.is_closed"),
    "anthropic.lib.streaming._beta_messages:BetaAsyncMessageStream": _response("response.is_closed"),
    "anthropic.lib.streaming._beta_messages:BetaMessageStream": _response("response.is_closed"),
    "mcp.client.session:ClientSession": _reopenable(opens="initialize"),
    "mcp.client.client:Client": _reopenable(),
    "mcp.client.stdio:stdio_client": _reopenable(),
    "mcp.client.streamable_http:streamable_http_client": _reopenable(),
    "mcp.client.streamable_http:streamablehttp_client": _reopenable(),
    "mcp.client.sse:sse_client": _reopenable(),
    "mcp.client.websocket:websocket_client": _reopenable(),
    # --- scopes that libraries keep about their task
    "anyio:CancelScope": _holds(_SCOPE),
    "anyio._backends._asyncio:CancelScope": _holds(_SCOPE),
    "anyio.abc:TaskGroup": _holds(_SCOPE),
    "anyio._backends._asyncio:TaskGroup": _holds(_SCOPE),
    "anyio:fail_after": _holds(_SCOPE),
    "anyio._core._tasks:fail_after": _holds(_SCOPE),
    "anyio:CapacityLimiter": _holds(_SCOPE),
    "anyio:Lock": _holds(_SCOPE),
    "anyio:Condition": _holds(_SCOPE),
    "anyio:Semaphore": _holds(_SCOPE),
    "anyio:Event": _holds(_SCOPE),
    "anyio.from_thread:BlockingPortal": _holds(_PROCESS),
    "anyio.streams.memory:MemoryObjectSendStream": _holds(_SCOPE),
    "anyio.streams.memory:MemoryObjectReceiveStream": _holds(_SCOPE),
    "async_timeout:Timeout": _holds("use asyncio.timeout, which is saved"),
    **dict.fromkeys(
        (
            "opentelemetry.sdk.trace:Tracer.start_as_current_span",
            "opentelemetry.trace:ProxyTracer.start_as_current_span",
            "opentelemetry.trace:Tracer.start_as_current_span",
            "opentelemetry.trace:use_span",
        ),
        Known(Kind.ENTERED_AGAIN, "a span of the global tracer provider goes on as it was; only another one starts over"),
    ),
    "opentelemetry.trace.span:Span": _SAVED,
    "opentelemetry.sdk.trace:Span": _SAVED,
    # --- what is shown
    "stamina._core:Attempt": _SAVED,
    "tenacity:AttemptManager": _SAVED,
    "tqdm.std:tqdm": _SAVED,
    "tqdm.std:tqdm.__iter__": _SAVED,
    # --- what works in the background
    **dict.fromkeys(
        ("apscheduler.schedulers.base:BaseScheduler", "apscheduler.schedulers.asyncio:AsyncIOScheduler"),
        _reopenable("configure add_executor add_jobstore add_listener start", "shutdown")._replace(keeps=(JOBS,)),
    ),
    "apscheduler.jobstores.base:BaseJobStore": _reopenable(),
    "apscheduler.executors.base:BaseExecutor": _reopenable(),
    "apscheduler.job:Job": _SAVED,
    "rich.console:Console": _reopenable(),
    "rich.live:Live": _reopenable(opens="start", ends="stop"),
    "rich.progress:Progress": _reopenable(opens="start", ends="stop")._replace(keeps=(TASKS,)),
    "rich.progress:_TrackThread": _SAVED,
    "rich.status:Status": _reopenable(opens="start", ends="stop"),
    # --- numbers
    "numpy:errstate": _block_of("set it with np.seterr, or keep awaits out of the block"),
    "numpy:printoptions": _block_of(_BRIEF),
    "numpy:nditer": _block_of(_BRIEF),
    "numpy:memmap": _holds("flush it, `del` it, and open it again after the await: a copy would not be the file"),
    "torch.autograd.grad_mode:no_grad": _block_of(_BRIEF),
    "torch.autograd.grad_mode:inference_mode": _block_of(_BRIEF),
    "torch.autograd.grad_mode:set_grad_enabled": _block_of(_BRIEF),
    "torch.amp.autocast_mode:autocast": _block_of(_BRIEF),
    "torch.autograd.profiler:profile": _block_of(_BRIEF),
    # --- files
    "aiofiles.base:AiofilesContextManager": Known(Kind.SAVED_IF_PICKLABLE, "open it by path"),
    "aiofiles.base:AsyncBase": Known(Kind.SAVED_IF_PICKLABLE, "open it by path"),
    # --- the standard library
    "asyncio.locks:_ContextManagerMixin": _SAVED,
    "asyncio.taskgroups:TaskGroup": _SAVED,
    "asyncio.timeouts:Timeout": _SAVED,
    "asyncio.runners:Runner": _holds("run what it runs in the task itself"),
    "asyncio.events:AbstractServer": _holds(_SERVER),
    "asyncio.streams:StreamWriter": _holds(_CONNECTION),
    "asyncio.streams:StreamReader": _holds(_CONNECTION),
    "asyncio.subprocess:Process": _holds(_PROCESS),
    "contextlib:closing": _SAVED,
    "contextlib:aclosing": _SAVED,
    "contextlib:nullcontext": _SAVED,
    "contextlib:suppress": _SAVED,
    "contextlib:chdir": _SAVED,
    "contextlib:_RedirectStream": _SAVED,
    "contextlib:_BaseExitStack": _SAVED,
    "decimal:ContextManager": _SAVED,
    "_decimal:ContextManager": _SAVED,
    "decimal:_ContextManager": _SAVED,
    "_pydecimal:_ContextManager": _SAVED,
    "warnings:catch_warnings": _SAVED,
    "_py_warnings:catch_warnings": _SAVED,
    "_io:StringIO": _SAVED,
    "_io:BytesIO": _SAVED,
    "_io:FileIO": Known(Kind.SAVED_IF_PICKLABLE, "open it by path"),
    "_io:_BufferedIOBase": Known(Kind.SAVED_IF_PICKLABLE, "open it by path"),
    "_io:TextIOWrapper": Known(Kind.SAVED_IF_PICKLABLE, "open it by path"),
    "gzip:GzipFile": Known(Kind.SAVED_IF_PICKLABLE, _WRITER),
    "bz2:BZ2File": Known(Kind.SAVED_IF_PICKLABLE, _WRITER),
    "lzma:LZMAFile": Known(Kind.SAVED_IF_PICKLABLE, _WRITER),
    "compression.zstd._zstdfile:ZstdFile": Known(Kind.SAVED_IF_PICKLABLE, _WRITER),
    "zipfile:ZipFile": _holds(_WRITER),
    "zipfile:ZipExtFile": _holds(_STREAM),
    "zipfile:_ZipWriteFile": _holds(_WRITER),
    "tarfile:TarFile": _holds(_WRITER),
    "wave:Wave_write": _holds(_WRITER),
    "wave:Wave_read": _holds(_STREAM),
    "shelve:Shelf": _block_of("its block writes when it is left; keep awaits out of it"),
    "tempfile:TemporaryDirectory": _holds("make the folder with `tempfile.mkdtemp()`, and remove it at the end in a `finally`"),
    "tempfile:_TemporaryFileWrapper": _holds("open a file of a name of its own: `open(path, ...)`"),
    "tempfile:SpooledTemporaryFile": _holds("use io.BytesIO, or `open(path, ...)`"),
    "unittest.mock:_patch": _block_of("a patch belongs to this process; keep awaits out of the block"),
    "unittest.mock:_patch_dict": _block_of("a patch belongs to this process; keep awaits out of the block"),
    "_thread:lock": _holds(_LOCK),
    "_thread:RLock": _holds(_LOCK),
    "threading:Condition": _holds(_LOCK),
    "threading:Semaphore": _holds(_LOCK),
    "threading:_RLock": _holds(_LOCK),
    "multiprocessing.synchronize:SemLock": _holds(_PROCESS),
    "multiprocessing.pool:Pool": _holds(_PROCESS),
    "multiprocessing.managers:BaseManager": _holds(_PROCESS),
    "concurrent.futures.thread:ThreadPoolExecutor": _reopenable(ends="shutdown"),
    "concurrent.futures.process:ProcessPoolExecutor": _reopenable(ends="shutdown"),
    "concurrent.futures._base:Executor": _holds("make it at module level: each process makes it again"),
    "subprocess:Popen": _holds(_PROCESS),
    "socket:socket": _holds(_CONNECTION),
    "_socket:socket": _holds(_CONNECTION),
    "socketserver:BaseServer": _holds(_SERVER),
    "selectors:BaseSelector": _holds(_PROCESS),
    "http.client:HTTPResponse": _response("isclosed"),
    "http.client:HTTPConnection": _holds(_CONNECTION),
    "smtplib:SMTP": _holds("a connection of this process; send the message in one step"),
    "imaplib:IMAP4": _holds(_CONNECTION),
    "ftplib:FTP": _holds(_CONNECTION),
    "mmap:mmap": _block_of(_BRIEF),
    "posix:ScandirIterator": _holds("make a list of names of it"),
    "nt:ScandirIterator": _holds("make a list of names of it"),
    "fileinput:FileInput": _holds(_STREAM),
    "cProfile:Profile": _block_of(_BRIEF),
    "profiling.tracing:Profile": _block_of(_BRIEF),
    "_contextvars:Token": _SAVED,
    "builtins:memoryview": _SAVED,
}  # fmt: skip
