"""The lists of all pages, actions and live parts; the pages are in the order of the navigation."""

from console.pages import event_actions, search
from console.pages.operations import audit, issues, mails, own_failures, providers, quarantine, replays, statistics
from console.pages.orders import evidence
from console.pages.orders import page as orders
from console.pages.overview import page as overview
from console.pages.webhooks import page as webhooks
from console.pages.webhooks import payload
from console.web.page import Action, Live, Page

PAGES: tuple[Page, ...] = (
    *overview.PAGES,
    *search.PAGES,
    *orders.PAGES,
    *evidence.PAGES,
    *webhooks.PAGES,
    *issues.PAGES,
    *quarantine.PAGES,
    *mails.PAGES,
    *replays.PAGES,
    *providers.PAGES,
    *statistics.PAGES,
    *audit.PAGES,
)
ACTIONS: tuple[Action, ...] = (
    *event_actions.ACTIONS,
    *evidence.ACTIONS,
    *payload.ACTIONS,
    *issues.ACTIONS,
    *own_failures.ACTIONS,
    *quarantine.ACTIONS,
    *mails.ACTIONS,
    *replays.ACTIONS,
    *providers.ACTIONS,
    *statistics.ACTIONS,
    *audit.ACTIONS,
)
LIVES: tuple[Live, ...] = (*overview.LIVES, *issues.LIVES, *replays.LIVES)
