"""What the audience sees: chapters, sentences, and commands with their real output."""

from __future__ import annotations

import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
import termios
import textwrap
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

WIDTH = 96
PAUSE = 0.3
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Broken(Exception):
    """Something did not end as the story needs it."""


@dataclass
class Terminal:
    """Runs commands in `directory` exactly as they are shown. Where this is a terminal they get one too: colours and progress stay."""

    directory: Path
    environment: Mapping[str, str]
    chapters: int = 0
    ran: bool = False
    """The last thing that was shown is a command's output."""

    def chapter(self, title: str, text: str) -> None:
        self.chapters += 1
        heading = f" {self.chapters}. {title} "
        self.lines("", _painted("1;36", f"━━{heading}" + "━" * (WIDTH - len(heading) - 2)))
        self.say(text)

    def say(self, text: str) -> None:
        self.ran = False
        self.lines("", textwrap.fill(" ".join(text.split()), WIDTH), "")
        if sys.stdout.isatty():
            time.sleep(PAUSE)

    def run(self, command: str) -> str:
        """What the command printed, which was shown as it came."""
        return self._run(command, self.environment, show=True)

    def excerpt(self, command: str, first: int, last: int) -> str:
        """What the command printed, of which the first and last lines are shown."""
        output = self._run(command, {**self.environment, "TERM": "dumb"}, show=False)
        lines = output.splitlines()
        hidden = len(lines) - first - last
        if hidden > 3:
            lines[first : len(lines) - last] = [_painted("2", f"  [ ... {hidden} lines are left out here ... ]")]
        self.lines(*lines)
        return output

    def _run(self, command: str, environment: Mapping[str, str], *, show: bool) -> str:
        self.lines(*([""] if self.ran else []), _painted("1;32", "$ ") + _painted("1", command))
        self.ran = True
        reader, writer = _terminal_pair() if sys.stdout.isatty() else os.pipe()
        output = b""
        with subprocess.Popen(shlex.split(command), cwd=self.directory, env=environment, stdout=writer) as process:
            os.close(writer)
            for chunk in _until_closed(reader):
                output += chunk
                if show:
                    sys.stdout.buffer.write(chunk)
                    sys.stdout.buffer.flush()
        if process.returncode:
            raise Broken(f"`{command}` ended with exit code {process.returncode}")
        return output.decode(errors="replace").replace("\r\n", "\n")

    def quietly(self, *command: str) -> None:
        subprocess.run(command, cwd=self.directory, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def lines(self, *lines: str) -> None:
        print(*lines, sep="\n", flush=True)


def plain(text: str) -> str:
    return COLOURS.sub("", text)


def _painted(code: str, text: str) -> str:
    bare = not sys.stdout.isatty() or "NO_COLOR" in os.environ
    return text if bare else f"\033[{code}m{text}\033[0m"


def _terminal_pair() -> tuple[int, int]:
    """A pseudo-terminal as large as ours."""
    reader, writer = pty.openpty()
    columns, lines = shutil.get_terminal_size()
    termios.tcsetwinsize(writer, (lines, columns))
    return reader, writer


def _until_closed(reader: int) -> Iterator[bytes]:
    """Linux ends the reading of a pseudo-terminal whose other side is closed with an error (EIO)."""
    with os.fdopen(reader, "rb", buffering=0) as output:
        try:
            while chunk := output.read(65536):
                yield chunk
        except OSError:
            return
