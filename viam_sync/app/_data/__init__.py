"""The mixins of DataClient, one subject each."""
