"""Redrives that a person has started on a page: in groups, until all are done, cancelled, or a group fails again."""
