"""Calls whose answers come in pages, as iterators."""
