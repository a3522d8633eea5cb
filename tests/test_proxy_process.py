"""`kimi-nb proxy` as a process: killed and started again, with a certificate, other clients."""

from __future__ import annotations

import asyncio
import re
import resource
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import openai
import pytest
from class_proxy import ASKED, Endpoint, served
from processes import COMMAND, ENVIRONMENT

from kimi_nb.proxy.keys import Who, mint
from kimi_nb.proxy.ledger import entries
from kimi_nb.proxy.serve import running
from kimi_nb.proxy.sheet import Sheet, read_sheet


@contextmanager
def proxy(path: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The command on a free port; its base URL and process."""
    process = subprocess.Popen(
        [*COMMAND, "proxy", str(path), "--port", "0", *options],
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None

    try:
        line = ""

        while " at http" not in line:
            line = process.stderr.readline()
            assert line, process.wait()

        yield re.findall(r"https?://\S+/v1", line)[-1], process
    finally:
        process.kill()
        process.communicate(timeout=40)


def class_of(folder: Path, base_url: str, each: str = "{}", more: str = "") -> tuple[Sheet, str]:
    path = folder / "class.yml"
    path.write_text(
        f"upstream: {{base_url: '{base_url}', models: [kimi-k3], {more}}}\n"
        f"classes: {{a: {{each: {each}}}}}\n"
    )
    sheet = read_sheet(path)
    return sheet, mint(sheet, [Who("a", "ana")])[Who("a", "ana")]


def certify(folder: Path) -> None:
    names = ["-keyout", "c.key", "-out", "c.pem", "-subj", "/CN=x", "-nodes", "-days", "2"]
    address = ["-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", *names, *address]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def client(url: str, key: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=url, api_key=key, max_retries=0)


async def test_killing_the_proxy_loses_no_line_and_no_lock(tmp_path: Path) -> None:
    endpoint = Endpoint()

    async with served(endpoint) as base_url:
        sheet, key = class_of(tmp_path, base_url, "{tokens: 700}")

        with proxy(sheet.path) as (url, process):
            async with client(url, key) as ana:
                answer = await ana.chat.completions.create(**ASKED)
                assert answer.choices[0].message.content == "onetwo"

            process.send_signal(signal.SIGKILL)
            process.wait(40)

        assert [entry.tokens_in for entry in entries(sheet.ledger)] == [100]
        endpoint.usage = {"prompt_tokens": 500, "completion_tokens": 20}

        with proxy(sheet.path) as (url, process):
            async with client(url, key) as ana:
                await ana.chat.completions.create(**ASKED)

                with pytest.raises(openai.APIStatusError, match="has used 640 of 700 tokens"):
                    await ana.chat.completions.create(**ASKED)

            process.send_signal(signal.SIGTERM)
            assert process.wait(40) == 0


async def test_openais_client_streams_through_it(tmp_path: Path) -> None:
    async with served(Endpoint()) as base_url:
        sheet, key = class_of(tmp_path, base_url)

        async with running(sheet) as url, client(url, key) as ana:
            stream = await ana.chat.completions.create(**ASKED, stream=True)
            texts = [chunk.choices[0].delta.content async for chunk in stream]

    assert texts[:2] == ["one", "two"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
async def test_it_serves_https_with_a_certificate(tmp_path: Path) -> None:
    certify(tmp_path)

    async with served(Endpoint()) as base_url:
        sheet, key = class_of(tmp_path, base_url, more="tls: {certificate: c.pem, key: c.key}")
        context = ssl.create_default_context(cafile=tmp_path / "c.pem")
        http = openai.DefaultAsyncHttpxClient(verify=context)

        async with (
            running(sheet) as url,
            openai.AsyncOpenAI(base_url=url, api_key=key, http_client=http) as ana,
        ):
            assert url.startswith("https://127.0.0.1:")
            assert (await ana.chat.completions.create(**ASKED)).usage is not None


def test_another_host_without_a_certificate_is_warned_of(tmp_path: Path) -> None:
    sheet, _ = class_of(tmp_path, "http://127.0.0.1:9/v1")
    command = [*COMMAND, "proxy", str(sheet.path), "--port", "0", "--host", "0.0.0.0"]  # noqa: S104
    process = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None

    try:
        assert "WARNING: keys and prompts go unencrypted" in process.stderr.readline()
    finally:
        process.kill()
        process.communicate(timeout=40)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="Linux says there what a process may open")
def test_it_takes_as_many_connections_as_the_system_allows(tmp_path: Path) -> None:
    sheet, _ = class_of(tmp_path, "http://127.0.0.1:9/v1")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))

    try:
        with proxy(sheet.path) as (_, process):
            limits = Path(f"/proc/{process.pid}/limits").read_text()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    [line] = [line for line in limits.splitlines() if line.startswith("Max open files")]
    assert int(line.split()[3]) == min(hard, 65_536)


async def test_who_speaks_no_http_leaves_no_trace(tmp_path: Path) -> None:
    sheet, _ = class_of(tmp_path, "http://127.0.0.1:9/v1")

    with proxy(sheet.path) as (url, process):
        port = int(url.removesuffix("/v1").rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n")
        assert b" 400 " in await reader.readline()
        writer.close()
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=40)

    assert "Traceback" not in told
