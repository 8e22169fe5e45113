"""How people take part: GitHub, seen as the place with issues, comments and pull requests."""
