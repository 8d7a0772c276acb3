"""The reminder, in the words of the harbour office."""

TEXT = """Dear {name},

your boat has been lying at berth {berth} since {since}, and the office would be glad to hear from you about the fee.
"""


def reminder(name, berth, since, *, polite=True):
    text = TEXT.format(name = name, berth = berth, since = since)
    if not polite:
        text += f"The crane is booked for Monday."
    return text
