"""One verdict for a Python project, under GitHub Actions and in the shell."""

__version__ = "0.1.0"
