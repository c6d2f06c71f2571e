"""Requests from a supervisor to its worker, over real sockets; the worker is a thread here."""

import subprocess
import sys
from multiprocessing import Pipe
from threading import Event

import pytest

from gateway.workers import link as worker_link
from gateway.workers.link import ORPHANED, Link, WorkerUnavailable
from runtime.management.routes import RequestRefused


def refuse() -> None:
    raise RequestRefused(409, "conflict", "not now")


def linked(**verbs: worker_link.Verb) -> Link:
    ours, theirs = Pipe()
    worker_link.serve(theirs, verbs, orphaned=lambda: None)
    return Link(ours)


def test_a_verb_is_answered_with_what_it_returns() -> None:
    link = linked(add=lambda a, b: a + b)

    assert [link.call(5, "add", n, 1) for n in range(3)] == [1, 2, 3]


def test_what_a_verb_refuses_is_refused_here() -> None:
    with pytest.raises(RequestRefused, match="not now") as refused:
        linked(refuse=refuse).call(5, "refuse")

    assert (refused.value.status, refused.value.error) == (409, "conflict")


def test_a_verb_that_fails_is_an_error_of_ours_and_the_link_goes_on() -> None:
    link = linked(divide=lambda: 1 // 0, one=lambda: 1)

    with pytest.raises(RequestRefused) as failed:
        link.call(5, "divide")

    assert failed.value.status == 500
    assert link.call(5, "one") == 1


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next() -> None:
    release = Event()
    link = linked(wait=release.wait, one=lambda: 1)

    with pytest.raises(WorkerUnavailable):
        link.call(0.01, "wait")
    release.set()

    assert link.call(5, "one") == 1


def test_a_worker_that_is_gone_does_not_answer() -> None:
    ours, theirs = Pipe()
    theirs.close()

    with pytest.raises(WorkerUnavailable):
        Link(ours).call(5, "one")


def test_a_worker_ends_at_once_when_its_supervisor_is_gone() -> None:
    ours, theirs = Pipe()
    program = """
import sys, threading
from multiprocessing.connection import Connection
from gateway.workers import link as worker_link
worker_link.serve(Connection(int(sys.argv[1])), {"one": lambda: 1})
threading.Event().wait()
"""
    argv = [sys.executable, "-c", program, str(theirs.fileno())]
    with subprocess.Popen(argv, pass_fds=[theirs.fileno()], stderr=subprocess.PIPE) as worker:
        theirs.close()
        assert Link(ours).call(60, "one") == 1

        ours.close()

        assert worker.wait() == ORPHANED
