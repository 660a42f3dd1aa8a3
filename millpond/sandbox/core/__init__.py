"""What every simulated service stands on: virtual time, persisted tables, due events, faults and the HTTP seam."""
