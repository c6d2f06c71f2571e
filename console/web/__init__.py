"""The base of the pages: what they are made of, access, texts, static files, actions, live updates.

How a page is made, in `console/pages/`: query, view, template, route.

1. Query: SQL that only reads, in a module of `console/queries/` or beside the page (`console/pages/<page>.py`).
2. View: `def view(tx: Connection, request: PageRequest) -> Mapping | None` returns the template's variables, None for
   404. It may raise BadParameter (400) and Redirect. It runs in a thread; `request.services` calls the other services.
3. Template: `console/pages/templates/<page>.html` extends `layout.html` and imports `macros.html` with context. It has
   `t("<page>.key", name=value)`, `when(microseconds)`, `label("statuses", name)`, `viewer.may(role)`, `money(n, code)`.
4. Texts: `console/web/texts/<page>.toml`, each key with `ko` and `en`.
5. Route: `Page("/mails", "mails.html", view, section="mails", fragment="_mails.html")` in `registry.py`. The
   template `fragment`, which the page includes, alone answers a request of htmx. `section` is in
   `rendering/navigation.py`.
6. An action: `Action("/mails/{id:str}/resolve", "mail.resolve", "operator", perform)` in the same list. Its form is
   `{% call form("/mails/1/resolve") %} … {% endcall %}`, which adds the CSRF token. `perform(tx, request)` returns Done
   (message, next page), Shown (a template) or Download, or raises ServiceRefused; the records of the audit are written
   around it. 7. Live: `Live("/live/mails", "_mails.html", view)` and `<div data-live="/live/mails">`.
"""
