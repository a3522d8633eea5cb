"""A canary for a key, sent through every door that text can take: it comes out of none."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import pytest
from faults.server import CUT, Answer, FaultServer, call, event, raw, refuse, say
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.ultratb import VerboseTB
from scripted import Scripted, calls, is_orchestrator
from scripted import call as called
from test_chat import Heard, ask

import kimi_nb as kn
from kimi_nb import errors, redact
from kimi_nb.cli.main import main
from kimi_nb.errors import KimiNbError, ModelError, UsageFault
from kimi_nb.events import RunEnded, StepBegan
from kimi_nb.models.base import Model, ToolCall
from kimi_nb.models.chat import ChatModel
from kimi_nb.models.endpoint import resolve
from kimi_nb.models.openai_client import OpenAIModel
from kimi_nb.models.secret import Secret
from kimi_nb.redact import Environment, hide, holds_key, know, learn_environment
from kimi_nb.swarm.connect import connect
from kimi_nb.swarm.doctor import examine
from kimi_nb.trace import Log
from kimi_nb.views.report import report_html

KEY = "mk-cAnArY0kRq7ZtW3xYb9LmN2pVs5Hd8Jf4Gg6TcEuQaXiOo1"
"""As long as a Moonshot key, but known only to who was told: it does not look like one."""
OTHERS = "sk-proj-0kRq7ZtW3xYb9LmN2pVs5Hd8Jf4Gg6TcEuQaXiOo"
PARTS = (KEY[:20], KEY[-20:], KEY[15:35])


def is_free(text: str | bytes) -> bool:
    """Whether neither the key nor a long part of it is in `text`."""
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return not any(part in text for part in PARTS)


@pytest.fixture(autouse=True)
def _known() -> None:
    """Each test begins in a process that knows the canary and nothing else."""
    redact._known.cache_clear()
    know(KEY)


# What is hidden


@pytest.mark.parametrize(
    "text",
    [
        f"before {KEY} after",
        f"{KEY}{KEY}",
        f"Authorization: Bearer {KEY}",
        f"https://example.org/v1?key={quote(KEY)}&x=1",
        json.dumps({"key": KEY, "nested": json.dumps([KEY])}),
        repr({"api_key": KEY}),
        f"密钥{KEY}。",
        f"input_value={KEY[:25]}...{KEY[-24:]}, input_type=str",
        base64.b64encode(f"user:{KEY}".encode()).decode(),
        base64.b64encode(f"users:{KEY}@".encode()).decode(),
        base64.b64encode(f"{KEY}".encode()).decode(),
        f"somebody else's {OTHERS}, found in a file",
        f'"a\\n{OTHERS}"',
    ],
)
def test_a_key_is_hidden_however_it_is_written(text: str) -> None:
    hidden = hide(text)
    assert "[key]" in hidden
    assert is_free(hidden)
    assert OTHERS[:20] not in hidden
    assert hide(hidden) == hidden

    for before in ("", "u", "us"):
        coded = base64.b64encode(f"{before}{KEY}".encode()).decode()
        assert coded[8:32] not in hidden


def test_signs_that_are_escaped_somewhere_hide_no_key() -> None:
    odd = "k&y<1>\"2\\3/4+5='6"
    know(odd)

    for text in (odd, json.dumps(odd), quote(odd), quote(odd, safe=""), repr(odd)):
        assert "[key]" in hide(text), text

    assert hide("<b>k&amp;y&lt;1&gt;&quot;2\\3/4+5=&#x27;6</b>") == "<b>[key]</b>"


@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_stands_around_it_stays(before: str, after: str) -> None:
    assert hide(before + KEY + after) == hide(before) + "[key]" + hide(after)
    assert hide(before) == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no key at all, no sk- either",
        KEY[:12],
        "sk-toggleable__content sk-estimator-doc-link sk-some-very-long-style-class-of-a-page",
        "task-f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "每个国家的首都",
        "\ud800 alone",
    ],
)
def test_what_is_no_key_is_the_very_same_text(text: str) -> None:
    assert hide(text) is text


@pytest.mark.parametrize("key", ["EMPTY", "ollama", "lm-studio", "not-needed", "sk-1", ""])
def test_placeholders_of_local_servers_stand_in_ordinary_text(key: str) -> None:
    Secret(key)
    assert hide(f"the value is {key}") == f"the value is {key}"


def test_the_longest_of_two_keys_goes_first() -> None:
    longer = f"{KEY}-and-more"
    know(longer)
    assert hide(f"{longer} {KEY}") == "[key] [key]"


def test_keys_of_the_environment_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_OTHER_API_KEY", '"another-secret-0123"')
    monkeypatch.setenv("BROKEN_API_KEY", "\udcff\udcfe0123456789")
    monkeypatch.setenv("HOME", "/home/0123456789")
    learn_environment()
    assert hide(str(os.environ.copy())).count("[key]") >= 1
    assert hide("another-secret-0123") == "[key]"
    assert hide("/home/0123456789") == "/home/0123456789"
    assert Environment()["SOME_OTHER_API_KEY"] == '"another-secret-0123"'
    assert "SOME_OTHER_API_KEY" in Environment()
    assert "secret" not in f"{Environment()!r} {Environment()}"


def test_a_secret_is_known_from_its_making_on() -> None:
    other = KEY[::-1]
    assert not holds_key(other)
    assert Secret.of(other) is not None
    assert holds_key(f"x {other[-20:]}")
    assert Secret.of("") is Secret.of(None) is None
    given = Secret(KEY)
    assert Secret.of(given) is given


# Faults


def fault_classes() -> list[type[KimiNbError]]:
    found = [value for value in vars(errors).values() if isinstance(value, type)]
    return [kind for kind in found if issubclass(kind, KimiNbError)]


@pytest.mark.parametrize("kind", fault_classes())
def test_no_fault_says_a_key(kind: type[KimiNbError]) -> None:
    made = kind("tokens", f"it was {KEY}") if kind is errors.BudgetExceeded else kind(f"is {KEY}")
    texts = [str(made), repr(made), *made._render_traceback_(), repr(made.args)]

    if isinstance(made, ModelError):
        texts.append(str(made.reworded(f"again {KEY}")))

    assert all(is_free(text) for text in texts)
    assert "[key]" in texts[0]


def test_a_tools_error_may_be_made_of_anything() -> None:
    assert str(kn.ToolError()) == ""
    assert str(kn.ToolError(404)) == "404"
    assert is_free(str(kn.ToolError(ValueError(KEY))) + str(kn.ToolError("of", {"key": KEY})))


ECHOES: dict[str, Answer] = {
    **{
        f"HTTP {status}": refuse(status, words=f"bad header Authorization: Bearer {KEY}")
        for status in (400, 401, 403, 404, 408, 413, 429, 500, 503, 529)
    },
    "quota": refuse(429, "exceeded_current_quota_error", words=f"{KEY} is out of money"),
    "plain text": Answer(plain=f"who is {KEY}?".encode(), status=401),
    "the end of a message cut in the key": refuse(400, words="x" * 370 + KEY),
    "an error in the stream": raw(event({"error": {"message": f"no {KEY}", "type": "x"}})),
    "malformed data": raw(f"data: {{ {KEY}\n\n".encode()),
    "cut after the key": replace(
        say(f"I say {KEY} and more", size=400).first(1, CUT), plain=f'{{"choices": ["{KEY}'.encode()
    ),
    "a web page": raw(f"<p>{KEY}</p>".encode(), kind="text/html"),
    "a redirect": Answer(status=307, headers={"Location": f"ftp://nowhere/{KEY}"}),
    "a redirect in a ring": Answer(status=307, headers={"Location": f"/v1/x?{KEY}"}),
    "a header": Answer(status=401, headers={"X-Echo": KEY, "Retry-After": KEY}),
}


@pytest.mark.parametrize("way", ["streamed", "plain", "openai"])
@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
async def test_a_server_that_echoes_the_key(
    echo: Answer, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    from openai import AsyncOpenAI

    caplog.set_level(logging.DEBUG)
    redact._known.cache_clear()  # whoever takes the key makes it known

    async with FaultServer(lambda _body: echo) as server:
        url = server.base_url
        client = AsyncOpenAI(api_key=KEY, base_url=url)
        model: Model = (
            OpenAIModel("m", client)
            if way == "openai"
            else ChatModel("m", base_url=url, key=Secret(KEY), streaming=way == "streamed")
        )

        try:
            with pytest.raises(ModelError) as caught:
                await model.reply(ask(), Heard())
        finally:
            await model.close()
            await client.close()

    assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    error = caught.value
    assert is_free(f"{error} {error!r} {error.args}")
    own = [record for record in caplog.records if record.name.startswith(("kimi_nb", "asyncio"))]
    assert all(is_free(record.getMessage()) for record in own)


# A whole run


def leaky_tools() -> list:
    def tell(what: str) -> str:
        "Tell something."
        return f"{what}: {KEY}"

    def table(what: str) -> list:
        "Give a table."
        return [{"key": KEY, "what": what, "bytes": base64.b64encode(KEY.encode()).decode()}]

    def fail(what: str) -> str:
        "Fail with the request's headers."
        raise ValueError({"Authorization": f"Bearer {KEY}", "what": what})

    async def end(what: str) -> str:
        "End the program."
        raise SystemExit(f"{what} {KEY}")

    return [kn.tool(function) for function in (tell, table, fail, end)]


def escaped(arguments: dict[str, object]) -> str:
    """JSON that writes every letter of the key as an escape."""
    code = "".join(f"\\u{ord(letter):04x}" for letter in KEY)
    return json.dumps(arguments).replace(KEY, code)


def babble(messages: list) -> object:
    """A model that says and passes on the key wherever it can."""
    turns = sum(message["role"] == "assistant" for message in messages)

    if is_orchestrator(messages):
        if turns == 0:
            made = [
                called("create_subagent", name="w", system_prompt=f"You know {KEY}."),
                called("create_subagent", name=f"w {KEY}", system_prompt="You know nothing."),
                called("assign_task", agent=f"w {KEY}", prompt=f"Use {KEY}."),
                called("assign_task", agent=f"nobody {KEY}", prompt="x"),
                called("map_task", agent=f"w {KEY}", template="Do {{item}}", items=[KEY, "b"]),
            ]
            hidden = escaped({"agent": "w", "prompt": f"Secretly {KEY}."})
            made.append(ToolCall(index=0, id="e", name="assign_task", arguments=hidden))
            return calls(*made, text=f"I know {KEY}", thinking=f"They gave me {KEY}")

        return f"All is done with {KEY}."

    if turns == 0:
        names = ("tell", "table", "fail", "end", f"no_{KEY}")
        made = [called(name, what=KEY) for name in names]
        return calls(*made, text=f"Here is {KEY}", thinking=KEY)

    return f"The sub-agent found {KEY}."


async def leaky_run(folder: Path, **more: object) -> tuple[kn.Run, Scripted]:
    model = Scripted(babble)
    run = await kn.swarm(
        f"Work with {KEY}.",
        model=model,
        key=KEY,
        tools=leaky_tools(),
        folder=folder,
        trace=folder / "run.jsonl",
        **more,
    )
    return run, model


@pytest.mark.parametrize("mode", ["swarm", "single", "plan"])
async def test_nothing_of_a_run_holds_the_key(
    mode: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    plan = [{"name": f"t {KEY}", "prompt": f"Do {KEY}."}, {"name": "u", "prompt": "Do it."}]
    more = {"single": {"single": True}, "plan": {"plan": plan}}.get(mode, {})
    run, model = await leaky_run(tmp_path, **more)
    assert run.status == "finished"
    saved = run.save(tmp_path / "copy.jsonl").read_bytes()
    places: dict[str, str | bytes] = {
        "the log": (tmp_path / "run.jsonl").read_bytes(),
        "a saved trace": saved,
        "the report": report_html(run.trace),
        "repr": repr(run),
        "html": run._repr_html_(),
        "progress": run.progress(),
        "answer": run.answer,
        "why": run.why,
        "goal": run.goal,
        "metrics": repr(run.metrics),
        "graph": repr(list(run.graph.nodes(data=True))),
        "records": repr(list(run.trace)),
        "replay": repr(kn.replay(tmp_path / "run.jsonl")),
        "logging": caplog.text,
        "terminal": "".join(capsys.readouterr()),
        "conversations": repr(model.seen),
    }
    assert [place for place, text in places.items() if not is_free(text)] == []
    assert places["the log"].count(b"[key]") > 5


def test_the_log_lets_no_key_in_whoever_writes(tmp_path: Path) -> None:
    log = Log(tmp_path / "x.jsonl")
    written = log.add("", StepBegan(step=3), RunEnded(status="failed", answer=KEY, why=f"as {KEY}"))
    log.close()
    assert written.fact == RunEnded(status="failed", answer="[key]", why="as [key]")
    assert log.records[0].fact == StepBegan(step=3)
    assert is_free((tmp_path / "x.jsonl").read_bytes())


async def test_a_run_with_a_hidden_key_is_resumed_without_paying_again(tmp_path: Path) -> None:
    run, _ = await leaky_run(tmp_path)
    log = tmp_path / "run.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:-2]))  # neither the orchestrator's end nor the run's
    model = Scripted(babble)
    again = await kn.resume(log, model=model, key=KEY, tools=leaky_tools())
    assert again.status == "finished"
    assert model.seen == []
    assert again.answer == run.answer
    assert is_free(log.read_bytes())


async def test_the_command_line_says_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KIMI_API_KEY", KEY)
    redact._known.cache_clear()
    (tmp_path / "notes.txt").write_text(f"their key is {KEY}, mine is {OTHERS}")
    bodies: list[dict] = []

    def answer(body: dict) -> Answer:
        bodies.append(body)
        done = sum(message["role"] == "tool" for message in body["messages"])
        return say(f"It says {KEY}.") if done else call(("read_file", {"path": "notes.txt"}))

    async with FaultServer(answer) as server:
        monkeypatch.setenv("KIMI_BASE_URL", server.base_url)
        command = ["run", f"Read notes.txt, not {KEY}", "--single", "--trace", "r.jsonl", "--json"]
        code = await asyncio.to_thread(main, command)
        refused = await asyncio.to_thread(main, ["run", "x", "--base-url", f"x {KEY}", "--json"])
        await asyncio.to_thread(main, ["report", "r.jsonl", "-o", "r.html", "--json"])
        await asyncio.to_thread(main, ["replay", "r.jsonl"])

    assert (code, refused) == (0, 2)
    assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    printed = capfd.readouterr()
    sent = json.dumps(bodies)
    written = [path.read_text("utf-8") for path in (tmp_path / "r.jsonl", tmp_path / "r.html")]

    for text in (printed.out, printed.err, sent, *written):
        assert is_free(text)
        assert OTHERS[:20] not in text

    assert json.loads(printed.out.splitlines()[0])["answer"] == "It says [key]."
    assert "mine is [key]" in sent


async def test_no_library_logs_the_header(caplog: pytest.LogCaptureFixture) -> None:
    from openai import AsyncOpenAI

    caplog.set_level(logging.DEBUG)
    loop = asyncio.get_running_loop()
    loop.set_debug(True)

    async with FaultServer(lambda _body: say("hello")) as server:
        chat = ChatModel("m", base_url=server.base_url, key=Secret(KEY))
        client = AsyncOpenAI(api_key=KEY, base_url=server.base_url)
        model = OpenAIModel("m", client)

        for each in (chat, model):
            await each.reply(ask(), Heard())

        await chat.close()
        await client.close()

    assert len(caplog.records) > 3
    assert is_free(caplog.text)


async def test_keys_of_a_client_of_ones_own_are_known_as_it_gets_them(tmp_path: Path) -> None:
    from openai import AsyncOpenAI

    redact._known.cache_clear()
    second = KEY[::-1]
    sent: list[str] = []

    async def fresh() -> str:
        return second

    def answer(body: dict) -> Answer:
        sent.append(json.dumps(body))
        return say(f"{KEY} or {second}")

    async with FaultServer(answer) as server:
        for number, key in enumerate((KEY, fresh)):
            client = AsyncOpenAI(api_key=key, base_url=server.base_url)
            log = tmp_path / f"{number}.jsonl"
            plan = {"plan": [{"name": "a", "prompt": f"Not {KEY}."}]} if number else {}
            await kn.swarm(f"Not {KEY}.", model="m", client=client, trace=log, **plan)
            await client.close()

        assert server.requests[-1].headers["Authorization"] == f"Bearer {second}"

    assert is_free("".join(sent))
    assert second in (tmp_path / "0.jsonl").read_text()
    assert (tmp_path / "1.jsonl").read_text().count("[key] or [key]") >= 1
    assert second not in (tmp_path / "1.jsonl").read_text()


# Tracebacks that show every variable


def verbose(trace: TracebackType | None, error: BaseException) -> str:
    """As `%xmode Verbose` has it, without the frame of the test itself."""
    assert trace is not None
    return VerboseTB(theme_name="nocolor", include_vars=True).text(
        type(error), error, trace.tb_next
    )


SPOILT = f"{KEY} {KEY}"
TWO = {"base_url": "ftp://a"}


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (kn.swarm, {"goal": "x", "key": KEY, **TWO}),
        (kn.swarm, {"goal": "", "key": KEY}),
        (kn.swarm, {"goal": "x", "key": SPOILT, "model": "kimi-k3"}),
        (kn.swarm, {"goal": "x", "key": f"sk-kimi-{KEY}"}),
        (kn.swarm, {"goal": "x", "key": KEY, "base_url": "http://10.0.0.7/v1"}),
        (kn.swarm, {"goal": "x", "key": KEY, "folder": "no/where"}),
        (kn.resume, {"path": "none.jsonl", "key": KEY}),
        (
            connect,
            dict.fromkeys(("model", "client", "options", "limits")) | {"key": KEY, **TWO},
        ),
        (resolve, {"model": "m", "base_url": None, "key": SPOILT, "environ": Environment()}),
        (resolve, {"model": "m", "base_url": None, "key": None, "environ": Environment()}),
    ],
)
def test_verbose_tracebacks_show_no_key(
    function, arguments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONSHOT_API_KEY", SPOILT)
    # its own one line would stand for all the frames
    monkeypatch.delattr(KimiNbError, "_render_traceback_")

    with pytest.raises(KimiNbError) as caught:
        function(**arguments)

    text = verbose(caught.value.__traceback__, caught.value)
    assert function.__name__ in text
    assert "Secret(…)" in text or "Environment(…)" in text
    assert is_free(text)


def test_the_doctor_shows_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOONSHOT_API_KEY", SPOILT)
    report = examine("kimi-k3", None, SPOILT)
    assert not report.ok
    assert is_free(repr(report) + json.dumps(report.as_dict()))


# Public machines


@pytest.mark.parametrize("sign", ["BINDER_LAUNCH_HOST", "BINDER_REPO_URL", "BINDER_SERVICE_HOST"])
def test_on_binder_a_key_is_refused_with_the_reason(
    sign: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from openai import AsyncOpenAI

    monkeypatch.setenv(sign, "https://mybinder.org/")
    reason = "refused on Binder: its machines are shared and public"

    with pytest.raises(UsageFault, match=reason) as caught:
        kn.swarm("x", key=KEY)

    assert "model='simulator'" in str(caught.value)

    with pytest.raises(UsageFault, match=reason):
        resolve("m", "https://models.example.org/v1", KEY, Environment())

    monkeypatch.setenv("MOONSHOT_API_KEY", KEY)

    with pytest.raises(UsageFault, match=reason):
        connect(None, None, None, None, None, None)

    client = AsyncOpenAI(api_key=KEY, base_url="https://models.example.org/v1")

    with pytest.raises(UsageFault, match=reason):
        connect("m", None, None, client, None, None)

    local = resolve("m", "http://127.0.0.1:8000/v1", None, Environment())
    assert local is not None
    assert local.key is None
    assert resolve("simulator", None, KEY, Environment()) is None


def test_a_jupyterhub_is_no_binder() -> None:
    hub = {"JUPYTERHUB_API_TOKEN": "x", "JUPYTERHUB_SERVICE_PREFIX": "/user/x/"}
    found = resolve(None, None, KEY, hub)
    assert found is not None
    assert found.key == Secret(KEY)
