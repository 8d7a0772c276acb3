"""Counts words, and says which ones a text leans on."""

from tally.words import favourites, words_of

__all__ = ["favourites", "words_of"]
