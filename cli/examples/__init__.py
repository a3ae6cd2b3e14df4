"""Public data sets sent through the service and checked against plain sums."""
