"""The whole story of a migration, played on the sandbox with the real command line."""
