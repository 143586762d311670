"""The command line. Nothing heavy is imported here before the words are understood."""
