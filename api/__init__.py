"""Delivery and wiring only: HTTP in front of `ingest`, `insight` and `brands`, and the Celery app."""
