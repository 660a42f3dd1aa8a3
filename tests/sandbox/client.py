"""The `openstack` client as people call it: words in, exit code and texts out."""

from __future__ import annotations

import io
import logging
import multiprocessing
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection

from openstackclient import shell

from tests.sandbox.running import Sandbox

_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


def openstack(sandbox: Sandbox, cloud: str, *words: str) -> Answer:
    """From the entry point to the exit code, in a process of its own: the client keeps its connections as long as that lives."""
    _load()
    answers, end = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_answer, args=(end, sandbox.environment(), ["--os-cloud", cloud, *words]))
    process.start()
    end.close()  # else who waits for an answer would not see that the process has died
    answer: Answer = answers.recv()
    process.join()
    return answer


@cache
def _load() -> None:
    """All its plug-ins, once, for the processes that are forked from this one: that takes two seconds of CPU. It logs in nowhere."""
    with _unseen():
        assert _called(["--os-auth-type", "none", "--os-endpoint", "http://127.0.0.1", "module", "list"]).code == 0


def _answer(end: Connection, environment: Mapping[str, str], words: Sequence[str]) -> None:
    os.environ.update(environment)
    end.send(_called(words))


def _called(words: Sequence[str]) -> Answer:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = int(shell.main(list(words)))
        except SystemExit as ended:  # words that it does not know
            code = int(ended.code or 0)
    return Answer(code, out.getvalue(), err.getvalue())


@contextmanager
def _unseen() -> Iterator[None]:
    """Loggers and warnings of this process, which it sets up for itself, are as they were afterwards."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    with warnings.catch_warnings():
        yield
    root.setLevel(level)
    root.handlers[:] = handlers
