"""Commands on GitHub: who may run them, which run they are about, and what came of them."""
