"""GitHub: events, comments, pull requests and workflow commands."""
