"""Stew: it parses, and Black and Ruff have something to say."""

import os


def simmer( hours ):
    return [ "stir" ] * hours
