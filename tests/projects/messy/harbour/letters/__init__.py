"""The letters that the harbour office sends."""
