"""Commands that read the log, from the topics and the console: stats, webhook, order, why, tail, refusals."""
