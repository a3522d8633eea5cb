"""Messages between parties over a Dask scheduler: in order, each once, whatever breaks."""

from __future__ import annotations

import asyncio
import logging
import re
import signal
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from random import Random
from typing import Any

import pytest
from cluster_parties import Party, at_home, cut, echo, in_workers, party, until
from cluster_processes import Cluster, address_of, cluster
from distributed import Client
from distributed.comm import inproc
from distributed.protocol.serialize import to_serialize

from kimi_nb.errors import UsageFault
from kimi_nb.swarm.cluster import line, mailbox, post
from kimi_nb.swarm.cluster.post import Post, install
from kimi_nb.swarm.runtime import runtime

SECRET = "sk-kimi-nobody-may-see-this"  # noqa: S105


@pytest.fixture(scope="module")
def processes() -> Iterator[Cluster]:
    with cluster(workers=1) as made:
        yield made


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """What it returns, on the loop of the swarms, beside that of Dask's clients."""
    return runtime().spawn(work).result(50)


# Order ---------------------------------------------------------------------------------------


async def test_everyone_hears_each_sender_in_order_and_once() -> None:
    async with at_home() as (client, _):
        parties = [await party(client, str(number)) for number in range(4)]

        for number in range(500):
            for sender in parties:
                for other in parties:
                    sender.post.send(other.name, {"text": number})

            if number % 50 == 0:
                await asyncio.sleep(0)  # some travel alone, some together

        await until(lambda: all(len(each.heard) == 2000 for each in parties))
        heard = [each.of(sender.name) for each in parties for sender in parties]
        assert heard == [list(range(500))] * 16


def test_comms_that_break_lose_nothing_and_double_nothing(processes: Cluster) -> None:
    random = Random(9)

    async def main(*clients: Client) -> tuple[int, list[list[int]]]:
        here, there = [await party(client) for client in clients]
        broken = 0

        for number in range(3000):
            here.post.send(there.name, {"text": number})
            there.post.send(here.name, {"text": number})

            if number % 10 == 0:
                await asyncio.sleep(0.003)
                broken += await cut(random.choice(clients), random)

        await here.post.drain()
        await there.post.drain()
        await until(lambda: len(here.heard) >= 3000 <= len(there.heard))
        assert not here.post.lost.done()
        heard = [here.of(there.name), there.of(here.name)]
        await here.post.close()
        await there.post.close()
        return broken, heard

    with processes.client() as one, processes.client() as two:
        install(one)
        broken, heard = run(main(one, two))

    assert heard == [list(range(3000))] * 2
    assert broken > 20


async def test_a_batch_that_is_sent_again_arrives_once() -> None:
    async with at_home() as (client, board):
        there = await party(client, "there")
        life = board._boxes[there.name].life
        batch = {"body": mailbox.pack([{"text": 1}]), "count": 1, "size": 9}

        for number in (1, 1, 2, 1, 2):
            await board.send(there.name, life, there.name, number, **batch)

        await until(lambda: len(there.heard) >= 2)
        assert there.of(there.name) == [1, 1]


async def test_what_was_read_stays_until_it_is_said_to_have_come() -> None:
    async with at_home() as (client, board):
        name = f"{client.id}#slow"
        assert (await board.open(name, "life"))["status"] == "OK"
        sender = await party(client)
        sender.post.send(name, {"text": 1})
        first = await board.receive(name, "life", 0)
        assert await board.receive(name, "life", 0) == first
        sender.post.send(name, {"text": 2})
        second = await board.receive(name, "life", first["last"])
        assert second["last"] == first["last"] + 1
        assert [who for who, _ in second["batches"]] == [sender.name]
        assert await board.receive(name, "other life", 0) == {"status": "gone"}


# Back-pressure -------------------------------------------------------------------------------


async def test_who_does_not_read_stops_its_senders_and_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mailbox, "FULL_BYTES", 5 * 2**20)
    monkeypatch.setattr(mailbox, "POLL_S", 0.05)

    async with at_home() as (client, board):
        deaf, other = f"{client.id}#deaf", await party(client, "other")
        await board.open(deaf, "life")
        box = board._boxes[deaf]
        senders = [await party(client, str(number)) for number in range(3)]

        for number in range(100):
            for sender in senders:
                sender.post.send(deaf, {"text": number, "more": bytes(200_000)})

        await until(lambda: not box.has_room)
        senders[0].post.send(other.name, {"text": "past it"})
        await until(lambda: other.of(senders[0].name) == ["past it"])
        await asyncio.sleep(0.2)  # some rounds of asking for room
        drained = asyncio.ensure_future(senders[0].post.drain())
        held = box._size
        assert 5 * 2**20 <= held < (5 + 3 * 1.3) * 2**20
        assert held < 3 * 100 * 200_000 / 4
        assert not drained.done()

        last, texts = 0, dict[str, list[int]]()

        while sum(map(len, texts.values())) < 300:
            answer = await board.receive(deaf, "life", last)
            last = answer["last"]

            for sender, body in answer["batches"]:
                # what Dask hands on unread, as a comm does in the end
                frames = body.data if hasattr(body, "data") else b"".join(body.frames)
                words = mailbox.unpack(bytes(frames))
                texts.setdefault(sender, []).extend(each["text"] for each in words)

        await drained
        assert list(texts.values()) == [list(range(100))] * 3


async def test_a_message_that_cannot_be_sent_is_refused_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(post, "LARGEST", 1000)

    async with at_home() as (client, _):
        here = await party(client)

        with pytest.raises(ValueError, match=r"1,\d\d\d bytes; one may have 1,000"):
            here.post.send(here.name, {"text": "x" * 1000})

        with pytest.raises(TypeError):
            here.post.send(here.name, {"text": object()})

        here.post.send(here.name, {"text": ["x", 1, 2.5, None, True, b"\x00", {"y": []}]})
        await until(lambda: here.heard)
        assert here.of(here.name) == [["x", 1, 2.5, None, True, b"\x00", {"y": []}]]


# Questions -----------------------------------------------------------------------------------


async def test_questions_are_answered_whoever_else_asks() -> None:
    async with at_home() as (client, _):
        parties = [await party(client, str(number)) for number in range(3)]
        ways = [(one, other) for one in parties for other in parties for _ in range(20)]
        asked = [
            one.post.ask(other.name, {"text": number}) for number, (one, other) in enumerate(ways)
        ]
        answers = await asyncio.gather(*asked)
        assert [answer["you said"] for answer in answers] == list(range(len(ways)))


async def test_a_question_may_be_answered_twice_or_given_up() -> None:
    async with at_home() as (client, _):
        here = await party(client, "here")
        there: Post

        def hear(sender: str, message: dict[str, Any]) -> None:
            if message["text"] == "slow":
                there.answer(sender, message, {"text": "wait"}, meanwhile=True)

            there.answer(sender, message, {"text": "done"})

        there = Post(client.scheduler, client.loop.asyncio_loop, f"{client.id}#there", hear)
        await there.open()
        said: list[dict[str, Any]] = []
        answer = await here.post.ask(there.party, {"text": "slow"}, meanwhile=said.append)
        assert (said, answer) == ([{"text": "wait"}], {"text": "done"})

        given_up = asyncio.create_task(here.post.ask(there.party, {"text": "quick"}))
        await asyncio.sleep(0)
        given_up.cancel()
        assert await here.post.ask(there.party, {"text": "quick"}) == {"text": "done"}
        assert given_up.cancelled()


async def test_only_who_was_asked_can_answer() -> None:
    async with at_home() as (client, board):
        here, stranger = await party(client, "here"), await party(client, "stranger")
        silent = f"{client.id}#silent"
        await board.open(silent, "life")
        asked = asyncio.create_task(here.post.ask(silent, {"text": 1}))
        await until(lambda: silent in board._boxes and not board._boxes[silent].is_empty)

        for number in range(5):
            stranger.post.answer(here.name, {"ask": number}, {"text": "it was me"})

        stranger.post.send(here.name, {"text": "heard"})
        await until(lambda: here.of(stranger.name) == ["heard"])
        assert not asked.done()
        answer = mailbox.pack([{"answered": 1, "text": "here"}])
        await board.send(silent, "life", here.name, 1, to_serialize(answer), 1, len(answer))
        assert await asked == {"text": "here"}


# Losses --------------------------------------------------------------------------------------


async def test_nobody_there_is_a_loss_that_comes_back() -> None:
    async with at_home() as (client, board):
        here = await party(client)

        with pytest.raises(ConnectionError, match="nobody is lost"):
            await here.post.ask("nobody", {"text": 1})

        assert here.losses == {"nobody"}
        await here.post.drain()
        assert here.post._outboxes == {}
        assert set(board._boxes) == {here.name}


async def test_only_who_has_spoken_with_a_party_hears_of_its_end() -> None:
    async with at_home() as (client, board):
        asks, is_asked, stranger, gone = [
            await party(client, word) for word in ("asks", "is asked", "stranger", "gone")
        ]
        await asks.post.ask(gone.name, {"text": 1})
        gone.post.send(is_asked.name, {"text": 1})
        await gone.post.drain()
        await gone.post.close()
        await until(lambda: asks.losses and is_asked.losses)
        assert (asks.losses, is_asked.losses) == ({gone.name}, {gone.name})
        assert is_asked.of(gone.name) == [1]
        await stranger.post.ask(stranger.name, {"text": 1})
        assert stranger.losses == set()
        assert gone.post.lost.result() == "this post was closed"
        gone.post.send(asks.name, {"text": 1})

        with pytest.raises(ConnectionError, match="this post was closed"):
            await gone.post.ask(asks.name, {"text": 1})

        for each in (asks, is_asked, stranger):
            await each.post.close()

        assert board._boxes == {}


async def test_a_party_that_is_opened_anew_hears_what_comes_then() -> None:
    async with at_home() as (client, _):
        here, old = await party(client, "here"), await party(client, "again")

        for number in range(5):
            here.post.send(old.name, {"text": number})
            old.post.send(here.name, {"text": number})
            await here.post.drain()
            await old.post.drain()

        new = await party(client, "again")
        await until(old.post.lost.done)
        await until(lambda: here.losses == {new.name})
        assert await here.post.ask(new.name, {"text": 5}) == {"you said": 5}
        new.post.send(here.name, {"text": 6})
        await until(lambda: here.of(new.name) == [0, 1, 2, 3, 4, 6])
        assert new.of(here.name) == [5]
        assert "lost sight of" in old.post.lost.result()


async def test_only_clients_and_workers_of_the_cluster_can_be_parties() -> None:
    async with at_home() as (client, _):
        stranger = Party(client.scheduler, client.loop.asyncio_loop, "Client-of-nobody")

        with pytest.raises(ConnectionError, match="does not know 'Client-of-nobody'"):
            await stranger.post.open()


def test_a_killed_worker_is_lost_to_who_spoke_with_it(processes: Cluster) -> None:
    worker = processes.start_worker()
    processes.wait_for_workers(2)

    async def main(client: Client, names: list[str]) -> None:
        here = await party(client)
        asked = [here.post.ask(name, {"text": name}) for name in names]
        assert [answer["you said"] for answer in await asyncio.gather(*asked)] == names
        worker.kill()
        await until(lambda: here.losses)
        lost, alive = sorted(names, key=lambda name: name not in here.losses)

        with pytest.raises(ConnectionError, match="is lost"):
            await here.post.ask(lost, {"text": 1})

        assert here.losses == {lost}
        assert await here.post.ask(alive, {"text": 2}) == {"you said": 2}
        await here.post.close()

    with processes.client() as client:
        install(client)
        names = in_workers(client, echo)
        run(main(client, names))


def test_a_closed_client_is_lost_on_both_sides(processes: Cluster) -> None:
    with processes.client() as one:
        install(one)
        two = processes.client()
        here, there = run(party(one)), run(party(two))
        run(here.post.ask(there.name, {"text": 1}))
        two.close()
        run(until(there.post.lost.done))
        assert re.search("is closed|lost sight", there.post.lost.result())
        run(until(lambda: here.losses == {there.name}))
        run(there.post.close())
        run(here.post.close())


async def test_a_scheduler_that_has_nothing_to_say_after_a_break_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(line, "PATIENCE_S", 0.05)
    breaks = iter([OSError("closed in the pool")])

    class Silent:
        async def kimi_nb_receive(self, **_: Any) -> str:
            for error in breaks:
                raise error

            await asyncio.sleep(0.1)  # longer than PATIENCE_S, as where nothing comes
            return "nothing"

    here = line.Line(Silent(), asyncio.get_running_loop(), "kimi_nb", {})
    assert await here.call("receive") == "nothing"


def test_a_killed_scheduler_ends_the_post(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "PATIENCE_S", 0.5)
    monkeypatch.setattr(line, "POLL_S", 0.5)

    with cluster(workers=0) as alone, alone.client() as client:
        install(client)
        here = run(party(client))
        alone.scheduler.send_signal(signal.SIGSTOP)
        asked = runtime().spawn(here.post.ask(here.name, {"text": 1}))
        alone.scheduler.kill()

        with pytest.raises(ConnectionError, match="cannot be reached any more"):
            asked.result(50)

        with pytest.raises(ConnectionError, match="cannot be reached any more"):
            run(here.post.ask(here.name, {"text": 1}))

        assert here.post.lost.done()
        run(here.post.close())


def test_a_loop_of_dasks_that_stands_still_ends_the_post(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "LOOK_S", 0.05)

    async def main() -> None:
        still = asyncio.new_event_loop()
        here = Party(None, still, "Client-1")

        with pytest.raises(ConnectionError, match="is closed"):
            await here.post.open()

        await asyncio.to_thread(still.run_until_complete, asyncio.sleep(0.01))
        still.close()

        with pytest.raises(ConnectionError, match="is closed"):
            await here.post.open()

    run(main())


# What others can see -------------------------------------------------------------------------


async def test_no_message_shows_in_a_dump_a_repr_or_a_debugging_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "distributed")

    async with at_home() as (client, board):
        here, deaf = await party(client), f"{client.id}#deaf"
        await board.open(deaf, "life")
        here.post.send(here.name, {"text": SECRET})
        here.post.send(deaf, {"text": SECRET})
        await until(lambda: here.of(here.name) == [SECRET])
        await until(lambda: not board._boxes[deaf].is_empty)
        box = board._boxes[deaf]
        shown = [str(board._scheduler._to_dict()), repr(board), str(vars(board)), repr(here.post)]
        shown += [repr(box), repr(vars(box)), str(vars(here.post))]

    assert "'op': 'kimi_nb_send'" in caplog.text
    assert [text for text in [*shown, caplog.text] if SECRET in text] == []


async def test_within_one_process_none_shows_either(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG, "distributed")
    monkeypatch.setattr(inproc.global_manager, "_ip", "127.0.0.1")  # else it looks for a route

    async with at_home(protocol="inproc://") as (client, _):
        here = await party(client)
        here.post.send(here.name, {"text": SECRET})
        await until(lambda: here.of(here.name) == [SECRET])

    assert re.search("'body': <Serialize: <.* bytes of messages>>", caplog.text)
    assert SECRET not in caplog.text


def test_no_message_shows_in_the_clusters_own_dump(processes: Cluster, tmp_path: Any) -> None:
    with processes.client() as client:
        install(client)
        name = in_workers(client, echo)[0]
        here = run(party(client))
        assert run(here.post.ask(name, {"text": SECRET})) == {"you said": SECRET}
        client.dump_cluster_state(str(tmp_path / "dump"), format="yaml")
        dump = (tmp_path / "dump.yaml").read_text("utf-8")
        run(here.post.close())

    assert name.partition("#")[0] in dump
    assert SECRET not in dump
    logs = [file.read_text("utf-8") for file in processes.folder.glob("*.log")]
    assert [log for log in logs if SECRET in log] == []


# Installing ----------------------------------------------------------------------------------


def test_it_is_installed_once(processes: Cluster) -> None:
    def board(dask_scheduler: Any) -> int:
        return id(dask_scheduler.plugins["kimi_nb"])

    with processes.client() as one, processes.client() as two:
        version = install(one)
        first = one.run_on_scheduler(board)
        here = run(party(one))
        assert install(two) == version == post.__version__
        assert two.run_on_scheduler(board) == first
        assert run(here.post.ask(here.name, {"text": 1})) == {"you said": 1}
        run(here.post.close())


async def test_without_it_the_post_says_what_to_do() -> None:
    async with at_home() as (client, board):
        board._scheduler.handlers.pop("kimi_nb_open")
        here = Party(client.scheduler, client.loop.asyncio_loop, client.id)

        with pytest.raises(UsageFault, match=r"call install\(client\)"):
            await here.post.open()


async def test_a_scheduler_of_another_version_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_home() as (client, _):
        monkeypatch.setattr(post, "__version__", "7.7")

        with pytest.raises(UsageFault, match=r"has kimi-nb .*here is 7\.7;.*'kimi-nb\[dask\]==7"):
            await install(client)


def test_a_scheduler_without_kimi_nb_is_named(tmp_path: Any) -> None:
    program = (
        "import sys; sys.modules['kimi_nb'] = None\n"
        "from distributed.cli.dask_scheduler import main; main()"
    )
    file = tmp_path / "scheduler.json"
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", file]
    alone = [sys.executable, "-c", program, *options, "--dashboard-address", "127.0.0.1:0"]
    process = subprocess.Popen(alone, cwd=tmp_path, stderr=subprocess.DEVNULL)

    try:
        with (
            Client(address_of(file, process), set_as_default=False) as client,
            pytest.raises(UsageFault, match=r"type: pip install 'kimi-nb\[dask\]=="),
        ):
            install(client)
    finally:
        process.kill()
        process.wait()
