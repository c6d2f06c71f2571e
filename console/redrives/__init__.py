"""Redrives that a person has started on a page: group by group, with progress, until done, cancelled or pointless."""
