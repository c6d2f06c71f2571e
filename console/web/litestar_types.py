"""Names for Litestar's generic classes with any user, authentication, state and content."""

from typing import Any, TypeAlias

from litestar import Request, Response, WebSocket
from litestar.connection import ASGIConnection

AnyRequest: TypeAlias = Request[Any, Any, Any]
AnyResponse: TypeAlias = Response[Any]
AnyConnection: TypeAlias = ASGIConnection[Any, Any, Any, Any]
AnySocket: TypeAlias = WebSocket[Any, Any, Any]
