"""The search for secrets in the files of the project: for the stage that reports them, and for all that must not show them."""
