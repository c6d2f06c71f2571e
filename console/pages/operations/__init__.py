"""What operators do: issues, quarantine, mails, providers and services, statistics, replays, audit."""
