"""Threads that prefetch or share work, and the limit on concurrent requests."""
