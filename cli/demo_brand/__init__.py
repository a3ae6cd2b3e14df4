"""A made-up brand with history on every channel: its shelf, its people, what they do, and where to look."""
