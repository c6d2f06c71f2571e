"""Answers as the providers' APIs do, each below its name: `python -m simulator.world.apis`. It remembers nothing.

What it knows it is told by POST of a `ProviderRecord` to `/simulator/payments`; a `ApiFailure` to `/simulator/troubles` makes an API
fail. Both are for whoever runs the trial: it listens on the loopback address unless told otherwise.
"""

import os
from base64 import b64decode
from collections.abc import Mapping

import msgspec
from aiohttp import web

from simulator.world.answers import APIS, names, split
from simulator.world.api_state import ApiState, ProviderRecord, ApiFailure

PORT = 8090


def application(keys: Mapping[str, str]) -> web.Application:
    """The APIs; `keys` has the key that opens each provider's, by name."""
    knowledge = ApiState()

    async def learn(request: web.Request) -> web.Response:
        knowledge.learn(msgspec.json.decode(await request.read(), type=ProviderRecord))
        return web.Response(status=204)

    async def trouble(request: web.Request) -> web.Response:
        knowledge.trouble(msgspec.json.decode(await request.read(), type=ApiFailure))
        return web.Response(status=204)

    async def ready(_: web.Request) -> web.Response:
        return web.json_response({"problems": []})

    async def answer(request: web.Request) -> web.Response:
        return _answer(knowledge, keys, request, await request.read())

    app = web.Application()
    app.router.add_post("/simulator/payments", learn)
    app.router.add_post("/simulator/troubles", trouble)
    app.router.add_get("/health/ready", ready)
    app.router.add_route("*", "/{rest:.*}", answer)
    return app


def _answer(knowledge: ApiState, keys: Mapping[str, str], request: web.Request, body: bytes) -> web.Response:
    found = split(request.raw_path)
    if found is None:
        return web.json_response({"message": "no such API"}, status=404)
    provider, target = found
    if trouble := knowledge.troubled(provider):
        headers = {} if trouble.retry_after is None else {"Retry-After": str(trouble.retry_after)}
        return web.json_response({"message": "simulated trouble"}, status=trouble.status, headers=headers)
    key = keys.get(provider)
    if key and not _opens(key, request.headers.get("Authorization", ""), body):
        return web.json_response({"message": "not with this key"}, status=401)
    told = knowledge.of(provider, names(target, body))
    status, content = (200, APIS[provider].of(told)) if told else APIS[provider].unknown
    return web.json_response(content, status=status)


def _opens(key: str, authorization: str, body: bytes) -> bool:
    """Whether a request shows the key: in its header, plain or as Basic, or its public half `mid:` in its body."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            return key in b64decode(value).decode()
        except ValueError:
            return False
    return key in authorization or key.partition(":")[0].encode() in body


def main() -> None:
    """Serve on HOST and PORT, with the keys in {NAME}_API_KEY."""
    keys = {name: key for name in APIS if (key := os.environ.get(f"{name.upper()}_API_KEY"))}
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", PORT))
    web.run_app(application(keys), host=host, port=port, print=None, access_log=None)


if __name__ == "__main__":
    main()
