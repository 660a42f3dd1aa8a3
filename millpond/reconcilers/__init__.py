"""One module per resource kind behind one Protocol; the table of goals; the registry."""
