"""The words everybody shares: frozen types, settings, errors; imports nothing else of ours."""
