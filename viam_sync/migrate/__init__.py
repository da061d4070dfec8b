"""The command ``viam-sync migrate``: makes scripts of the official SDK scripts of this package."""
