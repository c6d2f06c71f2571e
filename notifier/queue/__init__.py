"""The queue of mails: the SQL that inserts and releases mails, and by which they are claimed and sent."""
