"""How files are generated: the provider protocol, templates, and models."""
