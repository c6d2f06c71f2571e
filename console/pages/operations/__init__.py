"""The pages of operators: issues, quarantine, mails, providers and services, statistics, replays, audit."""
