"""Calls whose responses come in pages, as iterators."""
