"""Runs: training a brand's models and scoring all its profiles, under leases, with progress, in the graph."""
