"""What Millpond costs on a sandbox: requests, CPU time, memory, and how long servers are down. See `__main__`."""
