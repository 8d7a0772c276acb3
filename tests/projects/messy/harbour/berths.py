"""Finds a berth for every boat, the deepest keels first."""

import os, sys
import datetime
from dataclasses import dataclass

@dataclass(frozen = True)
class Berth:
    number: int
    depth: float
    length: float
    reserved_for: str = None


def fits(boat, berth):
    if berth.reserved_for == None or berth.reserved_for == boat["name"]:
        return boat["draught"] < berth.depth and boat["length"] <= berth.length
    return False


def assign(boats, berths, taken=[]):
    """Return the berth of each boat by its name; boats without one are left out."""
    plan = {}
    for boat in sorted(boats, key=lambda boat: -boat["draught"]):
        for berth in berths:
            if berth.number in taken: continue
            if fits(boat, berth):
                plan[boat["name"]] = berth
                taken.append(berth.number)
                break
        else:
            log.warning("no berth for %s, tell the pilot", boat["name"])
    return plan
