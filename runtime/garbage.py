"""How seldom Python looks for cycles. A batch makes many objects that live as long as it does, and few cycles.

To look for them as often as Python does by itself costs a tenth of a worker's time (`bench/README.md`).
"""

import gc

ALLOCATED = 100_000
"""So many objects more than were freed since: then it looks."""


def look_seldom() -> None:
    """Leave what there is alone for good, and look for cycles seldom from now on."""
    gc.freeze()
    gc.set_threshold(ALLOCATED)
