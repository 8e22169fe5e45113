"""How files are kept: git, the branch of a run, and the state that its commits add up to."""
