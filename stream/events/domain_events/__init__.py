"""The domain events that services publish, named in the past tense: a module for each aggregate."""
