"""The HTTP server beside the gRPC one: downloads, and the page that shows the sandbox in a browser."""
