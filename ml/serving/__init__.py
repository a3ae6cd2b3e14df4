"""Serving: a brand's active model looks at profiles, and what it says is attached to them."""
