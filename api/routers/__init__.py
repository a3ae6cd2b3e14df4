"""One module per part of the API; each hands its work to a function of the layer below."""
