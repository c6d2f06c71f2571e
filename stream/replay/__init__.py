"""Replay: rebuild a store from the topics in a second schema, compare it with the live one, and swap the two.

The service's own handler does the work, on a connection whose search path is the new schema. Its domain events are
compared with those on the service's topics; nothing is published and no mail is sent.
"""
