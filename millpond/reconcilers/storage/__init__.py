"""Volumes and their replication."""
