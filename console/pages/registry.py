"""Every page, action and live part, in the order of the navigation."""

from console.pages.overview import page as overview
from console.web.page import Action, Live, Page

PAGES: tuple[Page, ...] = (*overview.PAGES,)
ACTIONS: tuple[Action, ...] = ()
LIVES: tuple[Live, ...] = (*overview.LIVES,)
