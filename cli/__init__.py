"""The command line, top layer: one module per command, no query, no rule and no model here."""
