"""Modules, models and training scripts, with their versions."""
