"""The nouns: frozen, serialisable, without behaviour that needs a network."""
