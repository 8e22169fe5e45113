"""How files are kept: trailers, state derived from them, and the one place that runs git."""
