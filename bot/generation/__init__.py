"""How files come: the provider protocol and those who keep it."""
