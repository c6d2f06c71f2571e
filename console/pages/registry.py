"""Every page, action and live part, in the order of the navigation."""

from console.pages import event_actions, issues, search
from console.pages.orders import page as orders
from console.pages.overview import page as overview
from console.pages.webhooks import page as webhooks
from console.pages.webhooks import payload
from console.web.page import Action, Live, Page

PAGES: tuple[Page, ...] = (*overview.PAGES, *search.PAGES, *orders.PAGES, *webhooks.PAGES, *issues.PAGES)
ACTIONS: tuple[Action, ...] = (*event_actions.ACTIONS, *payload.ACTIONS, *issues.ACTIONS)
LIVES: tuple[Live, ...] = (*overview.LIVES, *issues.LIVES)
