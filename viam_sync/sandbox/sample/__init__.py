"""The sample world that a new sandbox starts with."""
