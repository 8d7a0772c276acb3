"""The stage `test`: services, the project's tests, and their coverage."""
