"""What GitHub is to us: the event that started the run, the runner's commands and files."""
