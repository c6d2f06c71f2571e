"""The base of the pages: their definitions, access, texts, static files, actions, live updates. It has no page itself.

How a page is made in `console/pages/`, for example one of mails:

1. Query: SQL that only reads, in a module of `console/queries/`, or a call of another service (`request.services`).
2. View, in the page's module (`console/pages/operations/mails.py`): `def view(tx: Connection, request: PageRequest) ->
   Mapping | None` returns the template's variables, None for 404. It may raise BadParameter (400) and Redirect. It runs
   in a thread.
3. Template: `console/pages/templates/mails.html` extends `layout.html` and imports `macros.html` with context (both in
   `console/web/templates/`). It has `t("mails.show", name=value)`, `when(microseconds)`, `label("statuses", name)`,
   `viewer.may(role)`, `money(n, code)`, `duration(seconds)`. A sentence that a service reported is `sentence(text)`, a
   value of a closed list `word("state", name)`, data that is no text of ours `raw(text)`.
4. Texts: `console/pages/texts/mails.toml`, each key with `ko` and `en`, singular and plural as `{count:mail|mails}`.
   Texts of all pages: `console/web/texts/`; what services report: `reported.toml` there (ADR 37).
5. Page, at the end of the page's module: `PAGES = (Page("/mails", "mails.html", view, section="mails"),)`. With
   `fragment="_mails.html"`, a request of htmx is answered with that template alone, which the page includes.
6. Action, if people act there: `ACTIONS = (Action("/mails/{id:str}/resolve", "mail.resolve", "operator", perform),)`.
   Its form is `{% call form("/mails/1/resolve") %} … {% endcall %}`, which adds the CSRF token. `perform(tx, request)`
   returns Done (message, next page), Shown (a template) or Download, or raises ActionRefused or ServiceRefused. The
   records of the audit are written around it.
7. Live, if a part is updated by itself: `LIVES = (Live("/live/mails", "_mails.html", view),)`, and in the page
   `<div data-live="/live/mails">{% include "_mails.html" %}</div>`.
8. Registry: `console/pages/registry.py` lists the module's PAGES, ACTIONS and LIVES.
9. A section of its own in the navigation: `console/web/rendering/navigation.py`, its text `nav.mails` in
   `console/web/texts/layout.toml`, its icon in PATHS of `console/web/templates/macros.html`.
10. Cost and tests: a line in `bench/pages.py`; tests/browser/ (test_pages.py opens every page of the registry).
"""
