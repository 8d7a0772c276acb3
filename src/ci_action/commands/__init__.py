"""The commands of the command line, each in its module, and what one call of the program needs."""
