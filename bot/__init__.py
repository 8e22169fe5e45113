"""Phasebot: a git-native generation bot, one commit per phase."""

__version__ = "0.1.0"
