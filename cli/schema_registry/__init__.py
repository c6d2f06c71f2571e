"""The committed registry of Avro schemas: checked, extended, pushed to a schema registry."""
