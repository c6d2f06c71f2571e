"""How seldom Python looks for cycles. A batch makes many objects that live as long as it does, and few cycles.

To look for them as often as Python does by itself made the payment processor's fold cost 35 us an event instead of 24,
and took 11 % of the gateway's main thread.
"""

import gc

ALLOCATED = 100_000
"""So many objects more than were freed since: then it looks."""


def look_seldom() -> None:
    """Leave what there is alone for good, and look for cycles seldom from now on."""
    gc.freeze()
    gc.set_threshold(ALLOCATED)
