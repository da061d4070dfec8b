"""The state that all rooms of the sandbox share: the store, IDs, access, and errors of calls."""
