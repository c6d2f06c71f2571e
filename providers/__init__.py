"""Who sends webhooks and in which words: one pure module a provider, declared in `catalogue`."""
