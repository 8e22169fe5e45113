"""The run as one page for a browser."""
