"""Waiting times: back-off between attempts, and even spacing of requests. Pure."""
