"""Costs, payment and invoices."""
