"""CRM systems are read: pages over HTTP → records → events through the same steps and commit; `run.py` is the work."""
