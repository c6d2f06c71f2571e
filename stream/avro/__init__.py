"""Records to bytes and back: the Avro schemas, the codecs generated from them, the schema registry."""
