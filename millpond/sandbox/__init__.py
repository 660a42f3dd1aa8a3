"""Two simulated OpenStack clouds and two simulated InfiniBox arrays, served over HTTP on loopback."""
