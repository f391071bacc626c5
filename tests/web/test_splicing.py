"""Bytes from the socket into a file, unseen: what happens where the kernel, the file or the sender will not."""

import errno
import os
import socket
import tempfile
import threading
from contextlib import contextmanager

import pytest
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser

from app.core.errors import ClientGone
from app.web import sockets, splicing
from app.web.pace import Pace

DATA = os.urandom(3_000_000)


class Crawling(Pace):
    def received(self, _count):
        raise ClientGone


@contextmanager
def sent(data, length=None):
    """The wire of a request whose body is on its way."""
    ours, theirs = socket.socketpair()
    head = f"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data) if length is None else length}\r\n\r\n".encode()

    def send():
        theirs.sendall(head + data)
        theirs.close()

    sending = threading.Thread(target=send)
    sending.start()
    with ours:
        parsed = next(RequestParser(Config(), ours, ("127.0.0.1", 1)))
        yield sockets.wire({"gunicorn.socket": ours, "wsgi.input": parsed.body, "wsgi.input_terminated": True})
        sending.join(10)


def taken(wire, flags=0, at=0):
    """What lands in a file, and under which name it was read."""
    with tempfile.NamedTemporaryFile() as file:
        fd = os.open(file.name, os.O_RDWR | flags)
        try:
            size = 0
            while count := wire.into(fd, at + size, 2**30, Pace()):
                size += count
            return os.pread(fd, size + 1, at), wire.name
        finally:
            os.close(fd)


@pytest.mark.parametrize("at", [0, 5, 4096])
def test_the_bytes_land_at_their_offset(at):
    with sent(DATA) as wire:
        assert taken(wire, at=at) == (DATA, "splice")


def test_a_file_that_cannot_be_spliced_into_is_written():
    with sent(DATA) as wire:
        assert taken(wire, os.O_APPEND) == (DATA, "splice")  # splice(2): EINVAL for a file in append mode


def test_a_socket_that_cannot_be_spliced_is_received(monkeypatch):
    def refused(*_args, **_kwargs):
        raise OSError(errno.EINVAL, "no")

    monkeypatch.setattr(os, "splice", refused)
    with sent(DATA) as wire:
        assert taken(wire) == (DATA, "socket")


def test_without_a_pipe_the_bytes_are_received(monkeypatch):
    def none_left(*_):
        raise OSError(errno.EMFILE, "no")

    splicing.forget()
    monkeypatch.setattr(os, "pipe2", none_left)
    with sent(DATA) as wire:
        assert taken(wire) == (DATA, "socket")


def test_what_a_broken_file_left_in_the_pipe_reaches_no_other_file():
    with sent(b"the first one's" * 10_000) as wire, tempfile.NamedTemporaryFile() as file:
        fd = os.open(file.name, os.O_RDONLY)
        wire.into(file.fileno(), 0, 2**30, Pace())  # what the parser held, which is written
        try:
            with pytest.raises(OSError):  # noqa: PT011  # whatever the kernel calls it
                taken_into(wire, fd)
        finally:
            os.close(fd)
        assert not wire.failed  # what is left of the body is known: the connection can go on
    with sent(DATA) as wire:
        assert taken(wire) == (DATA, "splice")


def test_a_crawling_sender_leaves_nothing_in_the_pipe():
    with sent(b"x" * 100_000, length=200_000) as wire, tempfile.TemporaryFile() as file:
        with pytest.raises(ClientGone):
            taken_into(wire, file.fileno(), Crawling())
        assert wire.failed
    with sent(DATA) as wire:
        assert taken(wire) == (DATA, "splice")


@pytest.mark.parametrize("flag", ["splice", "receive"])
def test_a_short_body_fails_and_never_seems_to_end(flag):
    with sent(DATA, length=len(DATA) + 1) as wire, tempfile.TemporaryFile() as file:
        with pytest.raises(ClientGone):
            taken_into(wire, file.fileno()) if flag == "splice" else received(wire)
        assert (wire.still_to_come(), wire.failed) == (1, True)
        with pytest.raises(ClientGone):
            wire.into(file.fileno(), 0, 1, Pace())


def taken_into(wire, fd, pace=None):
    pace = pace or Pace()
    while wire.into(fd, 0, 2**30, pace):
        pass


def received(wire):
    while wire.receive(2**20, Pace()):
        pass
