"""Suggestions: likely same persons that share no identifier, found by Splink over traits, for a steward to decide."""
