"""Replay: rebuild a store from the topics in a second schema, compare it with the live one, and swap the two.

The service's own handler applies the records, on a connection whose search path is the new schema. The domain events
that it returns are compared with those on the service's topics; those on no topic are *owed*: they are stored, and
published only if an operator asks for that. No mail is sent.
"""
