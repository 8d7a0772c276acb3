"""The stage `pr`: title, size and metadata of the pull request."""
