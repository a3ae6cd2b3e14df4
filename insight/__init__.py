"""What follows from a customer's events: the 360, the timeline, the identity graph; reads only through `graph`."""
