"""PortOne V2."""
