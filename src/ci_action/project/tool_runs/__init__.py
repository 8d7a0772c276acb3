"""The commands with which a project runs a tool, and what it installs for them."""
