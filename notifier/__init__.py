"""Send mails and in-app messages for domain events; each event is mailed at most once per audience."""
