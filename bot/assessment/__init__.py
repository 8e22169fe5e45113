"""Findings about a generated project: what an assessment has to say about its files.  Nothing of it is executed."""
