"""Networks, ports, and the switch of their gateways."""
