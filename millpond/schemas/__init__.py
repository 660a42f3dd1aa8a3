"""JSON Schemas and the loader that knows file:line:column."""
