"""Generating files: the provider protocol and its implementations."""
