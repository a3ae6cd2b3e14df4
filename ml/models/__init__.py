"""Models: each learns from features and outcomes, predicts, and is written as JSON or LightGBM text."""
