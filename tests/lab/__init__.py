"""The lab: two real OpenStack control planes on loopback, on the sandbox's arrays. `python -m tests.lab` is how it is run."""
