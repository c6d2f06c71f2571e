"""The sections of the pages, in the order of the navigation."""

from typing import NamedTuple


class Section(NamedTuple):
    """An entry of the navigation: its name, whose text is `nav.<name>`, and its path."""

    name: str
    path: str


SECTIONS = (
    Section("overview", "/"),
    Section("search", "/search"),
    Section("orders", "/orders"),
    Section("webhooks", "/webhooks"),
    Section("issues", "/issues"),
    Section("quarantine", "/quarantine"),
    Section("mails", "/mails"),
    Section("replays", "/replays"),
    Section("providers", "/providers"),
    Section("statistics", "/statistics"),
    Section("audit", "/audit"),
)
