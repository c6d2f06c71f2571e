"""The expected rows of each store: a service's pure domain applied to the topics' records, a module per processor."""
