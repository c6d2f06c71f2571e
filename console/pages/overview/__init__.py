"""The overview: what is wrong on top, then rates, delays, services and parts."""
