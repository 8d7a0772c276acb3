"""When there is enough water over the sill."""

from math import cos, pi

HIGH_TO_HIGH = 12.42  # hours


def height(hours_since_high, high = 5.8, low = 0.9):
    mean = (high+low) / 2
    swing = (high-low) / 2
    return mean + swing*cos(2*pi*hours_since_high/HIGH_TO_HIGH)


def window(draught, sill=1.2, margin=0.5):
	"""Return the hours after high water in which a boat can pass the sill."""
	needed = draught + sill + margin
	step = 0.1
	hours = [step * i for i in range(int(HIGH_TO_HIGH / 2 / step))]
	passable = [h for h in hours if height(h) >= needed]
	return max(passable, default=None)
