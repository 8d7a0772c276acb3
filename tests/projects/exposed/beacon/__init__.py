"""Which lights are out."""
