"""One class for each proto service, one method for each RPC; generated, but for this line."""
