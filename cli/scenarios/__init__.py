"""The reference stories: read, sent as real senders send, and checked fact by fact against the running service."""
