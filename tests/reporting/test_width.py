import os
import pty
import subprocess
import sys
import termios

import pytest

ASKED = "from millpond.reporting.layout import wrapped; print(max(map(len, wrapped('word ' * 200))))"


@pytest.mark.parametrize(("columns", "widest"), [(80, 79), (100, 99), (134, 99), (20, 59)])
def test_lines_fit_the_terminal(columns: int, widest: int) -> None:
    reader, writer = pty.openpty()
    termios.tcsetwinsize(writer, (24, columns))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    subprocess.run([sys.executable, "-c", ASKED], stdout=writer, env=environment, check=True, timeout=60)
    assert os.read(reader, 100).split() == [str(widest).encode()]
    os.close(writer)
    os.close(reader)


def test_a_pipe_gets_lines_of_one_width() -> None:
    told = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, env={**os.environ, "COLUMNS": "40"}, check=True, timeout=60)
    assert told.stdout.split() == [b"99"]
