"""The dependencies of the project: requirements, lock files, and their content."""
