"""Print the favourite words of what comes in on standard input."""

import sys

from tally import favourites

for word, count in favourites(sys.stdin.read()):
    print(f"{count:>5}  {word}")
