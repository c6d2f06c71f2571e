"""Posting in an open loop, storing mails, counting CPU: on real sockets and processes."""

import asyncio
import smtplib
import subprocess
import sys
import time
from asyncio import StreamReader, StreamWriter
from pathlib import Path

import pytest

from bench import cost
from bench.rig import sink
from bench.rig.open_loop import Poster
from bench.rig.system import sink as running_sink

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"


def test_posts_do_not_wait_for_answers_and_latency_counts_from_when_they_were_due() -> None:
    async def slow(reader: StreamReader, writer: StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(0.3)
            writer.write(ANSWER)

    async def play() -> list[float]:
        server = await asyncio.start_server(slow, "127.0.0.1", 0)
        posts = await Poster(server.sockets[0].getsockname()[1]).play([REQUEST] * 20, rate=100)
        server.close()
        assert [post.status for post in posts] == [200] * 20
        assert [post.due - posts[0].due for post in posts] == pytest.approx([n / 100 for n in range(20)], abs=1e-3)
        return [post.answered - post.due for post in posts]

    assert min(asyncio.run(play())) >= 0.3


def test_a_post_on_a_connection_that_was_closed_meanwhile_goes_again_on_a_new_one() -> None:
    async def answer_once(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        writer.close()

    async def play() -> list[int]:
        server = await asyncio.start_server(answer_once, "127.0.0.1", 0)
        posts = await Poster(server.sockets[0].getsockname()[1]).play([REQUEST] * 5, rate=20)
        server.close()
        return [post.status for post in posts]

    assert asyncio.run(play()) == [200] * 5


def test_the_sink_has_stored_a_mail_when_it_answers(tmp_path: Path) -> None:
    with running_sink(tmp_path) as running, smtplib.SMTP("127.0.0.1", int(running.url.rpartition(":")[2])) as client:
        for number in range(3):
            client.sendmail("a@example.test", f"b{number}@example.test", f"Message-ID: <m{number}@x>\n\n.\nbody")
            found = list(sink.stored(tmp_path))
            assert [(mail.message_id, mail.recipient) for mail in found][number] == (
                f"m{number}@x",
                f"b{number}@example.test",
            )
            assert found[-1].at <= time.time()


def test_the_cpu_of_children_that_have_ended_counts() -> None:
    burns = "import time\nwhile time.process_time() < 0.2: pass"
    parent = (
        f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burns!r}]); print('done', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()

        assert cost.trees({"parent": process.pid})["parent"] >= 0.2

        process.communicate("\n")
