"""Audiences: building blocks from stored features and predictions: the RFM grid, profiles like others."""
