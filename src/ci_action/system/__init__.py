"""The machine: processes, files, signals and text. Nothing here knows the project or a run."""
