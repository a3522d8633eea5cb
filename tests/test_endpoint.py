"""Which endpoint a run talks to, and that its key goes nowhere else."""

from __future__ import annotations

import copy
import pickle
from dataclasses import asdict

import pytest

from kimi_nb.errors import UsageFault
from kimi_nb.models.endpoint import Endpoint, resolve
from kimi_nb.models.secret import Secret
from kimi_nb.redact import hide

AI = "https://api.moonshot.ai/v1"
CN = "https://api.moonshot.cn/v1"
OWN = "https://models.example.org/v1"
LOCAL = "http://127.0.0.1:8000/v1"


def found(
    model: str | None = None,
    base_url: str | None = None,
    key: str | None = None,
    **environ: str,
) -> Endpoint:
    endpoint = resolve(model, base_url, key, environ)
    assert endpoint is not None
    return endpoint


def shown(endpoint: Endpoint) -> tuple[str, str, str | None, str]:
    key = endpoint.key.reveal() if endpoint.key else None
    return endpoint.model, endpoint.base_url, key, endpoint.provider


def test_nothing_given_is_the_simulator() -> None:
    assert resolve(None, None, None, {}) is None
    assert resolve("", "", "", {"MOONSHOT_API_KEY": "", "OPENAI_API_KEY": "sk-o"}) is None
    assert resolve(None, None, None, {"KIMI_BASE_URL": CN}) is None


def test_the_simulator_can_be_asked_for() -> None:
    assert resolve("simulator", None, None, {"MOONSHOT_API_KEY": "sk-1"}) is None


@pytest.mark.parametrize(
    ("environ", "key"),
    [
        ({"MOONSHOT_API_KEY": "sk-1", "KIMI_API_KEY": "sk-2"}, "sk-1"),
        ({"KIMI_API_KEY": "sk-2"}, "sk-2"),
        ({"MOONSHOT_API_KEY": "  ", "KIMI_API_KEY": "sk-2"}, "sk-2"),
    ],
)
def test_keys_of_the_environment(environ: dict[str, str], key: str) -> None:
    assert shown(found(**environ)) == ("kimi-k3", AI, key, "moonshot")


@pytest.mark.parametrize("url", ["cn", CN, CN + "/", f" {CN} "])
def test_the_chinese_platform(url: str) -> None:
    assert shown(found("kimi-k2.6", url, "sk-1")) == ("kimi-k2.6", CN, "sk-1", "moonshot")


def test_what_is_typed_goes_before_the_environment() -> None:
    endpoint = found(None, OWN, "sk-t", KIMI_BASE_URL=CN, MOONSHOT_API_KEY="sk-e")
    assert shown(endpoint) == ("kimi-k3", OWN, "sk-t", "models.example.org")


def test_the_url_of_the_environment_gets_its_key() -> None:
    assert shown(found(KIMI_BASE_URL=OWN, KIMI_API_KEY="sk-e"))[1:3] == (OWN, "sk-e")


def test_the_url_of_the_environment_gets_its_key_also_where_it_is_typed_or_read_from_a_log() -> (
    None
):
    for own in (OWN, OWN + "/ "):
        endpoint = found("m", OWN, KIMI_BASE_URL=own, KIMI_API_KEY="sk-e")
        assert shown(endpoint)[1:3] == (OWN, "sk-e")

    other = found("m", OWN, KIMI_BASE_URL="http://127.0.0.1:9/v1", KIMI_API_KEY="sk-e")
    assert shown(other)[2] is None


def test_a_moonshot_key_goes_to_no_other_host() -> None:
    assert found("m", OWN, MOONSHOT_API_KEY="sk-m", KIMI_API_KEY="sk-k").key is None
    lookalike = "https://api.moonshot.ai.example.org/v1"
    assert found("m", lookalike, MOONSHOT_API_KEY="sk-m").key is None


def test_an_openai_key_only_for_a_url_that_was_typed() -> None:
    assert shown(found("m", OWN, OPENAI_API_KEY="sk-o"))[2] == "sk-o"
    assert shown(found(KIMI_BASE_URL=OWN, OPENAI_API_KEY="sk-o"))[2] is None

    with pytest.raises(UsageFault, match="needs a key"):
        resolve("m", AI, None, {"OPENAI_API_KEY": "sk-o"})


@pytest.mark.parametrize(
    "url", [LOCAL, "http://localhost:11434/v1", "http://[::1]:30000/v1", "http://127.1.2.3:1/v1"]
)
def test_local_servers_need_no_key_and_get_none(url: str) -> None:
    keys = {"OPENAI_API_KEY": "sk-o", "MOONSHOT_API_KEY": "sk-m"}
    assert shown(found("m", url, None, **keys)) == ("m", url, None, "local")
    assert shown(found("m", url, "typed"))[2] == "typed"


def test_a_model_without_a_key_says_what_to_set() -> None:
    with pytest.raises(UsageFault, match=r"'kimi-k3' needs a key: set MOONSHOT_API_KEY"):
        resolve("kimi-k3", None, None, {})

    with pytest.raises(UsageFault, match=r"api\.moonshot\.cn needs a key"):
        resolve(None, "cn", None, {})


@pytest.mark.parametrize(
    "url", ["api.moonshot.ai/v1", "ftp://example.org", "https://", "x", "file:///etc", "http://a:b"]
)
def test_what_is_no_base_url(url: str) -> None:
    with pytest.raises(UsageFault, match="type one such as"):
        resolve("m", url, "sk-1", {})


@pytest.mark.parametrize(
    "url", ["https://sk-9@example.org/v1", "https://u:sk-9@example.org", "https://a.b/v1?key=sk-9"]
)
def test_a_key_in_the_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageFault, match="key=…") as caught:
        resolve("m", url, None, {})

    assert "sk-9" not in str(caught.value)


def test_no_key_in_the_clear() -> None:
    with pytest.raises(UsageFault, match="unencrypted"):
        resolve("m", "http://10.0.0.7:8000/v1", "sk-1", {})

    assert found("m", "http://10.0.0.7:8000/v1").key is None


@pytest.mark.parametrize(
    ("model", "url", "key"),
    [
        (None, "https://api.kimi.com/coding/v1", "sk-1"),
        (None, None, "sk-kimi-abc"),
        ("m", OWN, "sk-kimi-abc"),
    ],
)
def test_subscription_keys_are_refused(model: str | None, url: str | None, key: str) -> None:
    with pytest.raises(UsageFault, match="approved clients only") as caught:
        resolve(model, url, key, {})

    assert "abc" not in str(caught.value)


@pytest.mark.parametrize("text", ['"sk-1"', "'sk-1'\n", " sk-1\r\n", "Bearer sk-1"])
def test_what_slips_in_by_copying_is_dropped(text: str) -> None:
    assert shown(found(MOONSHOT_API_KEY=text))[2] == "sk-1"


@pytest.mark.parametrize("text", ["sk 1", "sk-1\nsk-2", "sk-…", "sk\u00a01", "\u200bsk-1"])
def test_what_cannot_be_a_key_is_refused_by_name(text: str) -> None:
    with pytest.raises(UsageFault, match="MOONSHOT_API_KEY holds") as caught:
        resolve(None, None, None, {"MOONSHOT_API_KEY": text})

    assert text not in str(caught.value)


def test_a_key_is_never_shown() -> None:
    endpoint = found(MOONSHOT_API_KEY="sk-visible")
    deep = copy.deepcopy(asdict(endpoint))
    assert "visible" not in f"{endpoint!r} {endpoint} {deep} {[endpoint.key]}"
    assert deep["key"].reveal() == "sk-visible"
    assert endpoint.key is not None
    assert hide("no sk-visible here") == "no [key] here"

    with pytest.raises(TypeError, match="not written anywhere"):
        pickle.dumps(endpoint.key)


def test_equal_keys_are_equal() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != "a"


def test_the_simulator_at_a_url_is_the_one_that_is_called() -> None:
    found = resolve("simulator", "http://127.0.0.1:8000/v1", None, {})
    assert found is not None
    assert (found.model, found.base_url) == ("simulator", "http://127.0.0.1:8000/v1")
    assert resolve("simulator", None, None, {"KIMI_BASE_URL": "http://127.0.0.1:8000/v1"}) is None
