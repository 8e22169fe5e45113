"""What is to be built: spec, plan, recipe and the phases that follow from them.  No I/O but reading recipes."""
