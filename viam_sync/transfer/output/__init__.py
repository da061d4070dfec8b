"""Responses as files: rows, tables and folders, each written whole or not at all."""
