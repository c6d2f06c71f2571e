"""A handler for urllib that follows no redirect."""

import urllib.request


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Treats a redirect as the response, since following it would send credentials and bodies to another host."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None
