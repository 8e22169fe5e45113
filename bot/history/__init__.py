"""Everything about git: trailers, the state derived from them, commits, pushes, and the one place that runs git."""
