"""Becomes Erlang's port mapper, listening at 127.0.0.1:PORT and nowhere else: `port_mapper.py PORT`.

Left to itself epmd listens on ::1 as well. It takes a socket that is there already when it is told so as systemd tells it (sd_listen_fds(3)).
"""

import os
import socket
import sys

FIRST_PASSED = 3

if __name__ == "__main__":
    listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    if listening.fileno() != FIRST_PASSED:
        os.dup2(listening.fileno(), FIRST_PASSED)
    os.set_inheritable(FIRST_PASSED, True)
    os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
    os.execvp("epmd", ["epmd", "-systemd"])
