"""CSV files in: spooled to disk, detected, mapped row by row, and committed in batches like every other event."""
