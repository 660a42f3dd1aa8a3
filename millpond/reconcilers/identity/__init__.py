"""The project, who may use it, and how much of it."""
