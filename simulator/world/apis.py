"""Simulates the providers' APIs, each below its name: `python -m simulator.world.apis`. A restart forgets all records.

POST a `ProviderRecord` to `/simulator/payments` to add a record, and an `ApiFailure` to `/simulator/troubles` to make
an API fail. The process listens on the loopback address unless HOST is set.
"""

import os
from base64 import b64decode
from collections.abc import Mapping

import msgspec
from aiohttp import web

from simulator.world.answers import APIS, names, split
from simulator.world.api_state import ApiFailure, ApiState, ProviderRecord

PORT = 8090


def application(keys: Mapping[str, str]) -> web.Application:
    """Return the web application. `keys` has the API key of each provider; without a key an API is open."""
    state = ApiState()

    async def add_record(request: web.Request) -> web.Response:
        state.add_record(msgspec.json.decode(await request.read(), type=ProviderRecord))
        return web.Response(status=204)

    async def set_failure(request: web.Request) -> web.Response:
        state.set_failure(msgspec.json.decode(await request.read(), type=ApiFailure))
        return web.Response(status=204)

    async def ready(_: web.Request) -> web.Response:
        return web.json_response({"problems": []})

    async def answer(request: web.Request) -> web.Response:
        return _answer(state, keys, request, await request.read())

    app = web.Application()
    app.router.add_post("/simulator/payments", add_record)
    app.router.add_post("/simulator/troubles", set_failure)
    app.router.add_get("/health/ready", ready)
    app.router.add_route("*", "/{rest:.*}", answer)
    return app


def _answer(state: ApiState, keys: Mapping[str, str], request: web.Request, body: bytes) -> web.Response:
    found = split(request.raw_path)
    if found is None:
        return web.json_response({"message": "no such API"}, status=404)
    provider, target = found
    if failure := state.failure_of(provider):
        headers = {} if failure.retry_after is None else {"Retry-After": str(failure.retry_after)}
        return web.json_response({"message": "simulated trouble"}, status=failure.status, headers=headers)
    key = keys.get(provider)
    if key and not _is_authorized(key, request.headers.get("Authorization", ""), body):
        return web.json_response({"message": "not with this key"}, status=401)
    record = state.find(provider, names(target, body))
    status, content = (200, APIS[provider].of(record)) if record else APIS[provider].unknown
    return web.json_response(content, status=status)


def _is_authorized(key: str, authorization: str, body: bytes) -> bool:
    """Return whether the header contains the key, plain or as Basic, or the body its public part (before `:`)."""
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
