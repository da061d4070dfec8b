"""Threads that fetch ahead or share work, and the limit on how many requests are under way."""
