"""The project: its layout, its files and dependencies, the tool versions that it pins, its git repository."""
