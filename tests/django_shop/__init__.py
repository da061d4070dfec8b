"""An app with models for machines and readings."""
