"""GitHub: events and commands in, comments and pull requests out."""
