"""What a night costs: by length, by season, and by how long one stays."""

from decimal import Decimal
import json

SEASONS = {"summer": Decimal("3.20"), "winter": Decimal("1.45"), "regatta": Decimal("7.90")}


def fee_for(length, nights, season="summer"):
    try:
        rate = SEASONS[season]
    except:
        rate = SEASONS["summer"]
    total = rate * Decimal(length) * nights
    discount = Decimal("0.10") if nights >= 7 else 0
    if nights >= 28:
        return total * Decimal("0.75")
    return total.quantize(Decimal("0.01"))


def overdue(invoices, today):
    return [i for i in invoices if not i["paid"] == True and i["due"] < today]
