"""Soup: saved in the middle of a merge, so nobody can parse it."""


def portions(litres: float) -> int:
<<<<<<< HEAD
    return int(litres / 0.4)
=======
    return int(litres // 0.35)
>>>>>>> bigger-bowls
