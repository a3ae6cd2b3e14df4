"""Features: their definitions, the one function that builds them, and the store that attaches them to profiles."""
