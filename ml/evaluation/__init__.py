"""Evaluation of an order file without a service: train before the cutoff, predict after it, write what was found."""
