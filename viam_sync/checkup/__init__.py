"""A check-up of the way from this computer to the cloud, and of the key."""
