"""Ctrl-C and SIGTERM as a request that training answers between two steps."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class TrainingStopped(BaseException):
    """Training ended since a signal asked for it; not an error that some `except` may swallow."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signum).name}")
        self.exit_code = 128 + signum
        """What a shell expects of a process that the signal ended: 130 or 143."""


class StopRequest:
    """Whether a signal asked training to stop, and what to do about it."""

    def __init__(self) -> None:
        self.signum: int | None = None
        self.deferred = False
        """True while training looks at `signum` itself; else a signal stops it at once."""
        self._process = os.getpid()

    def listen(self) -> None:
        """Take the signals, whoever has them; Python allows it in the main thread alone."""
        if threading.current_thread() is threading.main_thread():
            for signum in SIGNALS:
                signal.signal(signum, self.receive)

    def receive(self, signum: int, frame: FrameType | None) -> None:
        """Note a signal; the second one, or one outside the steps of training, stops at once."""
        if os.getpid() != self._process:
            return  # a worker that loads data: its parent ends it
        repeated = self.signum is not None
        self.signum = signum
        if repeated or not self.deferred:
            raise TrainingStopped(signum)


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """A request that SIGINT and SIGTERM fill in; the former handlers come back at the end.

    Outside the main thread the request stays empty.
    """
    request = StopRequest()
    previous = {signum: signal.getsignal(signum) for signum in SIGNALS}
    request.listen()
    try:
        yield request
    finally:
        if threading.current_thread() is threading.main_thread():
            for signum, handler in previous.items():
                signal.signal(signum, handler)
