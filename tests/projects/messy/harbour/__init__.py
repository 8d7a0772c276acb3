"""Who may berth where, when the tide allows it, and what it costs."""

from harbour.berths import Berth, assign
from harbour.fees import fee_for

__all__ = ["Berth", "assign", "fee_for"]
