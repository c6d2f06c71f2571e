"""An operator's changes: pause, quarantine, replay, mail, spool."""
