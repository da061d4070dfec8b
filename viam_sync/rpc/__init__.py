"""The way of one call: the channel, the token, the retries, and the call itself."""
