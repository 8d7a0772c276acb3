"""Look at a title in a process of its own, which can be ended: `re` holds all of Python while it matches."""

import sys

from ci_action.titles.looking import answer

sys.stdout.write(answer(sys.stdin.read()))
