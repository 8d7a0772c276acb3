"""What the project says of its dependencies: requirements, lock files, and what is in them."""
