"""Every query of ConstIntel as a file, read by `graph/queries.py`; holds no code."""
