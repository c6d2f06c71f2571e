"""The infrastructure of a local run: Kafka, Postgres, an inbox, a schema registry, simulated APIs of providers."""
