"""The stage `security`: dependencies, licences, secrets and weak spots."""
