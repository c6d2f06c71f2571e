"""Helpers for the forms, links and redirects of pages."""

from litestar import Response

from console.web.litestar_types import AnyRequest, AnyResponse

SEE_OTHER = 303


async def form_lists(request: AnyRequest) -> dict[str, tuple[str, ...]]:
    """Return all values of each name in the posted form, at least an empty one; files are left out."""
    form = await request.form()
    return {name: tuple(v for v in form.getall(name) if isinstance(v, str)) or ("",) for name in form}


def target(request: AnyRequest) -> str:
    """Return the path and query string of a request, as a link to the same page."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def see_other(location: str) -> AnyResponse:
    """Return a redirect (303) to a path, which the browser then requests with GET."""
    return Response(
        "", status_code=SEE_OTHER, media_type="text/plain", headers={"Location": location, "Cache-Control": "no-store"}
    )
