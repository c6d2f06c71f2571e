"""The defaults of a simulated run: of its plan, and of the options of `hookstream simulate`."""

ORDERS = 1
DUPLICATES = 0.0
"""The share of webhooks that are sent twice, from 0 to 1."""
SEED = 0
PROVIDER = "generic"
"""A key of `simulator.stories.STORIES`."""
