"""Queries of tabular data in SQL and MQL, each run in a process of its own."""
