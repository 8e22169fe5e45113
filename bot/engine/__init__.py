"""The loop that works on a run: decide what to generate, generate it, commit it, publish it."""
