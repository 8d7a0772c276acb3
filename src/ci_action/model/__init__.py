"""What a run produces, as plain values."""
