"""The stage `quality`: formatting and linting."""
