"""Order files in: lines of a CSV checked, typed and brought together by customer and day."""
