"""The repository of the project, asked through git."""
