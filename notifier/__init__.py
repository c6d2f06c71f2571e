"""Domain events in, e-mail out: never two mails for one fact."""
