"""The way in: from the bytes a sender gives us to a committed, resolved event; read `pipeline.py` first."""
