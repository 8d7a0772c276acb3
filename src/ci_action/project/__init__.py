"""What the project says of itself: where things are, which tools it pins, which files are its own."""
