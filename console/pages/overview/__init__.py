"""The overview: alarms, then rates, delays, services and the parts that they depend on."""
