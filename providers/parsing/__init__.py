"""Reads bodies and fields: JSON, forms, timestamps, money, carriers. Knows no provider."""
