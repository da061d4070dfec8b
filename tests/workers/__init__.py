"""A client in the processes that applications of the web and queues of tasks run in: real servers on loopback."""
