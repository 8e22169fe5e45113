"""Planning: specs, plans, recipes and phases.  No I/O except reading spec and recipe files."""
