"""Tapayz (contract D): crypto invoices."""
