"""What the services need on one machine: Kafka, Postgres, a mail inbox, a schema registry, simulated APIs."""
