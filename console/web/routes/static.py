"""Serves the static files."""

from litestar import Response, get

from console.web.litestar_types import AnyRequest, AnyResponse
from console.web.rendering.assets import PREFIX, Assets
from runtime.json_value import JsonValue

YEAR_S = 365 * 24 * 3600


def static(assets: Assets) -> JsonValue:
    """Return the route handler of static files. Their names change with their content, so browsers may keep them."""

    @get(PREFIX + "{name:str}", sync_to_thread=False)
    def answer(request: AnyRequest) -> AnyResponse:
        asset = assets.find(str(request.path_params["name"]))
        if asset is None:
            return Response("", status_code=404)
        headers = {"Cache-Control": f"public, max-age={YEAR_S}, immutable", "X-Content-Type-Options": "nosniff"}
        return Response(asset.content, media_type=asset.content_type, headers=headers)

    return answer
