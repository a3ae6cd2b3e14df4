"""The steps before the commit, in this order: validate the envelope, extract, read the order, normalise, identify."""

from ingest.steps.normalise import to_incoming
from ingest.steps.validate import parse_event

__all__ = ["parse_event", "to_incoming"]
