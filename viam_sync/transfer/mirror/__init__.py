"""Copies of readings at home that each run makes what the service has now: a table of DuckDB, or a Parquet folder."""
