"""Reads bodies and fields strictly: JSON, forms, timestamps, money, carriers."""
