"""After the commit: what happened to identities becomes a numbered feed, and other systems are told of it."""
