"""The mixins of AppClient, one subject each."""
