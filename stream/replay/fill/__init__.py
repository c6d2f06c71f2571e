"""Fills a schema from the topics; if that is killed, the next run goes on after the last committed batch."""
