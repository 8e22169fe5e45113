"""The command line: options in, output and exit codes out."""
