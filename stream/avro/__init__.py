"""Encoding and decoding of records: the Avro schemas, the functions generated from them, the schema registry."""
