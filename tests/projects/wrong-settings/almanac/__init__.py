"""Sunrise and sunset. The code is fine; the settings are not."""
