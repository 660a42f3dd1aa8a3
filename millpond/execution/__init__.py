"""Carries out changes and remembers intents and outcomes."""
