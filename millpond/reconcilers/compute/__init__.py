"""Servers and what they need to boot."""
