"""Faults on demand: planning them, and injecting them into calls."""
