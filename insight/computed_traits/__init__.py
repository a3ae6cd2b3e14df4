"""Computed traits: what a brand defined, folded from its customers' events and orders, stored at live profiles."""
