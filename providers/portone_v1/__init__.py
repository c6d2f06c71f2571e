"""PortOne V1 (Iamport)."""
