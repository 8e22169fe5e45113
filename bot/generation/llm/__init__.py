"""Generation by a large language model: requests, retries, and checks of what it answers."""
