"""One module per aggregate: named queries in, plain rows or objects out."""
