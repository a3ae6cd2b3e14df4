"""What `constintel bench` measures: the raw limit, the naive way, our resolver and the HTTP doors, in one run."""
