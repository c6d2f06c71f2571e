"""Commands for an operator's changes: pause, quarantine, replay, mail, spool."""
