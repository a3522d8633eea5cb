"""Which endpoint a run talks to: from what was typed and what the environment has."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from kimi_nb.errors import UsageFault
from kimi_nb.models.secret import Secret

__all__ = [
    "DEFAULT_MODEL",
    "MOONSHOT",
    "SIMULATOR",
    "Endpoint",
    "is_moonshot",
    "refuse_on_binder",
    "resolve",
]

DEFAULT_MODEL = "kimi-k3"
SIMULATOR = "simulator"
"""The simulator's model id: in this process, or at a base URL that was typed with it. No other
model may be asked for by it, so that a run that it answered says so wherever it was answered."""
MOONSHOT = {"ai": "https://api.moonshot.ai/v1", "cn": "https://api.moonshot.cn/v1"}
"""The international and the Chinese platform; a key belongs to one of them."""
MOONSHOT_KEYS = ("MOONSHOT_API_KEY", "KIMI_API_KEY")
CODING_HOST = "api.kimi.com"
CODING_KEY = "sk-kimi-"
BINDER = ("BINDER_LAUNCH_HOST", "BINDER_REPO_URL", "BINDER_SERVICE_HOST")
"""Variables of which a machine of Binder has at least one. JupyterHub alone is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A model at a place, with the key for it."""

    model: str
    base_url: str
    """Without a slash at its end."""
    key: Secret | None
    provider: str
    """"moonshot", "local" or the host's name."""
    source: str = ""
    """Where the key comes from: a variable's name, "key" for one that was given, "" for none."""


def resolve(
    model: str | None, base_url: str | None, key: str | Secret | None, environ: Mapping[str, str]
) -> Endpoint | None:
    """The endpoint to use; None means the simulator: nothing names a model, a URL or a key.

    The environment has MOONSHOT_API_KEY or KIMI_API_KEY, and KIMI_BASE_URL. A key for Moonshot
    goes to no other host, unless KIMI_BASE_URL names it, and none leaves a machine of Binder.
    Raises UsageFault, saying what to type.
    """
    key = Secret.of(key)

    if model == SIMULATOR and not base_url:
        return None

    typed, named = base_url or "", environ.get("KIMI_BASE_URL", "")
    url = _check_url(typed or named or MOONSHOT["ai"])
    base = url.geturl()
    other = bool(typed) and base != named.strip().rstrip("/")  # a log has the same one
    source, secret = _key(key, url, environ, typed=other)

    if secret is not None:
        refuse_on_binder(base, environ)

    if secret is None and is_moonshot(base):
        if not (model or typed):
            return None

        raise _no_key(model, url)

    if secret is not None and url.scheme == "http" and not _is_local(url):
        message = f"{base} would get the key unencrypted; use https://, or a tunnel to localhost"
        raise UsageFault(message)

    provider = "moonshot" if is_moonshot(base) else "local" if _is_local(url) else _host(url)
    return Endpoint(
        model=model or DEFAULT_MODEL, base_url=base, key=secret, provider=provider, source=source
    )


def is_moonshot(base_url: str) -> bool:
    """Whether this is Moonshot's own platform."""
    host = _host(urlsplit(base_url))
    return host in {"moonshot.ai", "moonshot.cn"} or host.endswith((".moonshot.ai", ".moonshot.cn"))


def refuse_on_binder(base_url: str, environ: Mapping[str, str]) -> None:
    """Raises UsageFault if a key for this URL would be used on Binder's public machines."""
    if any(name in environ for name in BINDER) and not _is_local(urlsplit(base_url)):
        message = (
            "a key is refused on Binder: its machines are shared and public, and whoever runs them "
            "or the image can read it; take model='simulator' here, or run kimi_nb on a computer "
            "of your own, and if the key was typed here, revoke it"
        )
        raise UsageFault(message)


def _host(url: SplitResult) -> str:
    return (url.hostname or "").rstrip(".")


def _is_local(url: SplitResult) -> bool:
    host = _host(url)

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _check_url(text: str) -> SplitResult:
    text = MOONSHOT.get(text.strip(), text.strip())

    try:
        url = urlsplit(text.rstrip("/"))
        host, _ = _host(url), url.port
    except ValueError:
        host, url = "", SplitResult("", "", "", "", "")

    if url.scheme not in {"http", "https"} or not host:
        message = (
            f"{text!r} is not the base URL of an endpoint; type one such as "
            "'https://api.moonshot.ai/v1', 'http://localhost:11434/v1', or 'cn'"
        )
        raise UsageFault(message)

    if url.username or url.password or url.query or url.fragment:
        message = f"the base URL at {host} carries more than a path; give the key as key=…"
        raise UsageFault(message)

    if host == CODING_HOST:
        raise _coding_plan()

    return url


def _key(
    key: Secret | None, url: SplitResult, environ: Mapping[str, str], *, typed: bool
) -> tuple[str, Secret | None]:
    """The key for this URL, cleaned, after its source; a local server gets only a typed one."""
    sources = {"key": key}

    if is_moonshot(url.geturl()) or not typed:
        sources.update((name, Secret.of(environ.get(name))) for name in MOONSHOT_KEYS)
    elif not _is_local(url):
        sources["OPENAI_API_KEY"] = Secret.of(environ.get("OPENAI_API_KEY"))

    for source, found in sources.items():
        if found is not None and (cleaned := _clean(source, found)):
            return source, cleaned

    return "", None


# A frame that may raise holds keys as Secrets only: verbose tracebacks show all its variables.
def _clean(source: str, typed: Secret) -> Secret | None:
    """Without what slips in by copying; None for blanks; refused where it cannot be a key."""
    key = Secret.of(_tidy(typed.reveal()))

    if key is None:
        return None

    if not all("!" <= letter <= "~" for letter in key.reveal()):
        message = f"{source} holds a blank, a line break or a foreign letter; copy the key again"
        raise UsageFault(message)

    if key.reveal().startswith(CODING_KEY):
        raise _coding_plan()

    return key


def _tidy(value: str) -> str:
    return value.strip().strip("'\"").strip().removeprefix("Bearer ").strip()


def _no_key(model: str | None, url: SplitResult) -> UsageFault:
    what = f"model {model!r}" if model else _host(url)
    message = (
        f"{what} needs a key: set MOONSHOT_API_KEY before the kernel starts, "
        "or take model='simulator', which needs none"
    )
    return UsageFault(message)


def _coding_plan() -> UsageFault:
    message = (
        "keys of a Kimi Code subscription (api.kimi.com/coding) are for approved clients only; "
        "make a platform key at https://platform.moonshot.ai and set MOONSHOT_API_KEY, "
        "or take model='simulator'"
    )
    return UsageFault(message)
