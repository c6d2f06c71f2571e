"""What each store must hold: a service's pure domain applied to the topics' records, a module for each processor."""
