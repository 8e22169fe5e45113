"""Whether a generated project works: its recipe's commands, executed in a clean place, and what they say."""
