"""The example of a JupyterHub, run: two learners, one of whom has spent all."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from kimi_nb.proxy.ledger import entries
from kimi_nb.proxy.sheet import read_sheet

EXAMPLE = Path(__file__).parents[1] / "notebooks" / "hub"
MISSING = [
    name for name in ("jupyterhub", "jupyterhub_idle_culler") if not importlib.util.find_spec(name)
]
FRONT = shutil.which("configurable-http-proxy")
CLASS = """\
upstream: {base_url: simulator}
contact: Ms Li
classes:
  informatics:
    seats: 2
    each: {tokens: 900000}
    students: {ben: {tokens: 2500}}
"""
CELL = """\
%%swarm --model simulator --base-url URL --agents 4
For each CSV file in data, give the number of rows. Join the results into one table.
"""
SETUP = """\
import os, pathlib
folder = pathlib.Path('data'); folder.mkdir(exist_ok=True)
for n in range(3):
    (folder / f'f{n}.csv').write_text('a,b\\n' + '1,2\\n' * (n + 1))
%load_ext kimi_nb
print(os.environ['MEM_LIMIT'], os.readlink('course'), len(os.environ['KIMI_API_KEY']))
"""


def test_the_example_of_a_class_can_be_read() -> None:
    sheet = read_sheet(EXAMPLE / "class.yml")
    group = sheet.groups["informatics-11"]
    assert (group.seats, group.each.usd, group.students["ben"].usd) == (60, 4, 8)
    assert sheet.limits.concurrency == 100
    assert (group.limits.concurrency or 0) < 100


class Hub(NamedTuple):
    url: str
    proxy: str
    sheet: Path


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]

    for one in sockets:
        one.close()

    return ports


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    front, inner, control, proxy = free_ports(4)
    (tmp_path / "class.yml").write_text(CLASS)
    (tmp_path / "course").mkdir()
    config = tmp_path / "config.py"
    config.write_text(
        f"load_subconfig({str(EXAMPLE / 'jupyterhub_config.py')!r})\n"
        f"c.JupyterHub.bind_url = 'http://127.0.0.1:{front}'\n"
        f"c.JupyterHub.hub_port = {inner}\n"
        f"c.ConfigurableHTTPProxy.api_url = 'http://127.0.0.1:{control}'\n"
        f"c.ConfigurableHTTPProxy.command = [{FRONT!r}]\n"
        f"c.SimpleLocalProcessSpawner.home_dir_template = {f'{tmp_path}/home/{{username}}'!r}\n"
        "c.Spawner.http_timeout = 90\n"
        "c.Spawner.args = ['--allow-root']\n"  # whoever runs the tests is whom they spawn
    )
    environment = {
        **os.environ,
        "KIMI_NB_CLASS": str(tmp_path / "class.yml"),
        "KIMI_NB_COURSE": str(tmp_path / "course"),
        "KIMI_NB_PROXY_PORT": str(proxy),
        "KIMI_NB_HUB_TRIAL": "1",
        "MOONSHOT_API_KEY": "sk-teachers-own-0123456789",
    }

    with (tmp_path / "hub.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(config)],
            cwd=tmp_path,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    try:
        yield Hub(
            f"http://127.0.0.1:{front}", f"http://127.0.0.1:{proxy}/v1", tmp_path / "class.yml"
        )
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextlib.asynccontextmanager
async def logged_in(hub: Hub, name: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A learner's browser, after the form."""
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address without a name, too

    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        async with session.get(f"{hub.url}/hub/login") as response:
            assert response.status == 200

        xsrf = next(cookie.value for cookie in jar if cookie.key == "_xsrf")
        form = {"username": name, "password": "x", "_xsrf": xsrf}

        async with session.post(
            f"{hub.url}/hub/login", data=form, allow_redirects=False
        ) as response:
            assert response.status == 302, await response.text()

        xsrf = next(cookie.value for cookie in jar if cookie.key == "_xsrf")
        url = f"{hub.url}/hub/api/users/{name}/tokens"

        async with session.post(url, json={}, headers={"X-XSRFToken": xsrf}) as response:
            token = (await response.json())["token"]

    headers = {"Authorization": f"token {token}"}

    async with aiohttp.ClientSession(headers=headers) as session:
        yield session


async def up(hub: Hub) -> None:
    """Return when hub and proxy answer."""
    async with aiohttp.ClientSession() as session:
        for url in (f"{hub.url}/hub/api/", hub.proxy.replace("/v1", "/healthz")):
            while True:
                try:
                    async with session.get(url) as response:
                        if response.status == 200:
                            break
                except aiohttp.ClientError:
                    pass

                await asyncio.sleep(0.2)


async def spawn(hub: Hub, name: str, session: aiohttp.ClientSession) -> None:
    url = f"{hub.url}/hub/api/users/{name}"

    async with session.post(f"{url}/server") as response:
        assert response.status in {201, 202}, await response.text()

    while True:
        async with session.get(url) as response:
            [server] = (await response.json())["servers"].values()

        if server["ready"]:
            return

        await asyncio.sleep(0.2)


def message(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "username": "", "session": "s"}
    header |= {"version": "5.3", "date": "2027-01-01T00:00:00Z"}
    return {
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
        "channel": "shell",
    }


async def run(socket: aiohttp.ClientWebSocketResponse, code: str) -> str:
    """All that a cell shows."""
    asked = message("execute_request", {"code": code, "silent": False, "allow_stdin": False})
    await socket.send_str(json.dumps(asked))
    shown: list[str] = []
    replied = idle = False

    while not (replied and idle):
        got = json.loads((await socket.receive()).data)

        if got["parent_header"].get("msg_id") != asked["header"]["msg_id"]:
            continue

        content = got["content"]
        replied |= got["msg_type"] == "execute_reply"
        idle |= content.get("execution_state") == "idle"
        shown.append(content.get("text", "") + "".join(content.get("traceback", ())))
        shown.append(content.get("data", {}).get("text/plain", ""))

    return "\n".join(shown)


async def lesson(hub: Hub, name: str, cells: list[str]) -> list[str]:
    """What a learner sees."""
    async with logged_in(hub, name) as session:
        await spawn(hub, name, session)
        server = f"{hub.url}/user/{name}"

        async with session.post(f"{server}/api/kernels", json={}) as response:
            assert response.status == 201, await response.text()
            kernel = (await response.json())["id"]

        channels = f"{server}/api/kernels/{kernel}/channels"

        async with session.ws_connect(channels, max_msg_size=0) as socket:
            shown = [await run(socket, code) for code in cells]

        async with session.delete(f"{hub.url}/hub/api/users/{name}/server") as response:
            assert response.status in {202, 204}

    return shown


@pytest.mark.timeout(180)
@pytest.mark.skipif(
    bool(MISSING) or FRONT is None, reason="JupyterHub or its front is not installed"
)
async def test_one_learner_has_spent_all_and_the_other_goes_on(hub: Hub) -> None:
    await up(hub)
    cells = [SETUP, CELL.replace("URL", hub.proxy), "!env"]
    ana, ben = await asyncio.gather(*(lesson(hub, name, cells) for name in ("ana", "ben")))
    folder = hub.sheet.parent
    key_length = len("sk-class-") + 43

    for shown in (ana, ben):
        assert f"1073741824 {folder / 'course'} {key_length}" in shown[0]
        assert "teachers-own" not in "".join(shown)

    assert "finished" in ana[1]
    assert "ask Ms Li" not in ana[1]
    assert "ben has used" in ben[1]
    assert "of 2,500 tokens" in ben[1]
    assert "ask Ms Li" in ben[1]
    spent = {entry.student for entry in entries(read_sheet(hub.sheet).ledger)}
    assert spent >= {"ana"}

    refused = f"{hub.url}/hub/api/users/cyd/server"  # a third one, for whom there is no seat

    async with logged_in(hub, "cyd") as session, session.post(refused) as response:
        assert "2 seats" in await response.text()
