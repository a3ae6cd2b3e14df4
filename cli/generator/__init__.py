"""Generated histories sent through the batch door, and how well the service told people apart."""
