"""starlette, jinja2 and uvicorn: loaded here only, so that their absence is said in words."""

from __future__ import annotations

from ..errors import MissingDriverError

try:
    import jinja2 as jinja2
    import uvicorn as uvicorn
    from starlette.applications import Starlette as Starlette
    from starlette.convertors import Convertor as Convertor
    from starlette.convertors import register_url_convertor as register_url_convertor
    from starlette.datastructures import Headers as Headers
    from starlette.datastructures import MutableHeaders as MutableHeaders
    from starlette.exceptions import HTTPException as HTTPException
    from starlette.middleware import Middleware as Middleware
    from starlette.requests import Request as Request
    from starlette.responses import HTMLResponse as HTMLResponse
    from starlette.responses import JSONResponse as JSONResponse
    from starlette.responses import RedirectResponse as RedirectResponse
    from starlette.responses import Response as Response
    from starlette.responses import StreamingResponse as StreamingResponse
    from starlette.routing import Route as Route
    from starlette.types import ASGIApp as ASGIApp
    from starlette.types import Message as Message
    from starlette.types import Receive as Receive
    from starlette.types import Scope as Scope
    from starlette.types import Send as Send
except ImportError as error:
    raise MissingDriverError(
        f"the page needs starlette, jinja2 and uvicorn, which cannot be imported ({error}). Install them with: "
        "pip install 'durable-import[ui]'"
    ) from error
