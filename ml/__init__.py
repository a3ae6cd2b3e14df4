"""What is learnt from a customer's events: features now, models on top of them."""
