"""Every page, action and live part, in the order of the navigation."""

from console.pages import event_actions
from console.pages.orders import page as orders
from console.pages.overview import page as overview
from console.web.page import Action, Live, Page

PAGES: tuple[Page, ...] = (*overview.PAGES, *orders.PAGES)
ACTIONS: tuple[Action, ...] = (*event_actions.ACTIONS,)
LIVES: tuple[Live, ...] = (*overview.LIVES,)
