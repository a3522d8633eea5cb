"""Fetching: only hosts of the list, only the public internet, only as much as is allowed."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Picture

from kimi_nb.errors import ToolError, UsageFault
from kimi_nb.tools import Toolset, fetch_tool, standard_tools
from kimi_nb.tools.base import ToolContext, ToolOutcome
from kimi_nb.tools.fetch import _tool
from kimi_nb.tools.hosts import is_public
from kimi_nb.tools.html_text import html_text
from kimi_nb.tools.reach import LARGEST, REDIRECTS, Reach

CONTEXT = ToolContext(folder=Path(), agent="a0", run="r")
HERE = "127.0.0.1"


class Site:
    """A server on this machine that plays all hosts, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[web.Request] = []
        self.looked_up: list[str] = []
        self.answers: dict[str, Callable[[], web.StreamResponse]] = {}
        self.addresses: dict[str, list[str]] = {}
        self.port = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        found = self.answers.get(request.path)
        return found() if found else web.Response(text=f"you asked {request.path}")

    def lookup(self, name: str, _port: int) -> list[str]:
        self.looked_up.append(name)
        return self.addresses.get(name, [HERE])

    def reach(self, *hosts: str) -> Reach:
        names = [f"{host}:{self.port}" for host in hosts or ("site.test",)]
        return Reach(names, lookup=self.lookup, public=lambda a: a == HERE or is_public(a))

    def url(self, path: str, host: str = "site.test") -> str:
        return f"http://{host}:{self.port}{path}"

    async def fetch(self, path: str, *hosts: str, **more: Any) -> ToolOutcome:
        tool = _tool(self.reach(*hosts), trusted=False)
        arguments = orjson.dumps({"url": self.url(path), **more}).decode()
        return await Toolset([tool]).call("fetch", arguments, CONTEXT)

    def page(self, path: str, body: str | bytes, kind: str = "text/html", **headers: str) -> None:
        data = body.encode() if isinstance(body, str) else body
        self.answers[path] = lambda: web.Response(
            body=data, headers={"Content-Type": kind, **headers}
        )

    def moved(self, path: str, to: str, status: int = 302) -> None:
        self.answers[path] = lambda: web.Response(status=status, headers={"Location": to})


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    found = Site()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", found.answer)
    server = TestServer(app)
    await server.start_server()
    found.port = int(server.port or 0)
    yield found
    await server.close()


async def test_a_page_comes_as_text_with_its_links(site: Site) -> None:
    site.page("/a", "<title>T</title><p>One <a href='/b?x=1&amp;y=2'>two</a> &lt;3</p><li>item")
    outcome = await site.fetch("/a")
    assert outcome.ok
    assert outcome.text == (
        f"[{site.url('/a')}]\n# T\n\nOne [two]({site.url('/b?x=1&y=2')}) <3\n\n- item"
    )


async def test_it_says_who_it_is_and_carries_nothing_along(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    site.page("/cookie", "x", "text/plain", **{"Set-Cookie": "a=b"})

    for path in ("/cookie", "/next"):
        await site.fetch(path)

    first, second = site.asked
    assert first.headers["User-Agent"].startswith("kimi_nb/")
    assert first.headers["Host"] == f"site.test:{site.port}"
    assert {"Cookie", "Authorization", "Referer"}.isdisjoint(second.headers)


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        ["https://example.org"],
        ["example.org/x"],
        ["*"],
        ["*.*.org"],
        ["a b.org"],
        ["127.0.0.1"],
        ["[::1]"],
        ["user@example.org"],
        [""],
        "1.2.3.4:80",
        ["example.org:port"],
    ],
)
def test_a_list_that_names_no_host_is_refused(hosts: Any) -> None:
    with pytest.raises(UsageFault, match=r"example\.org"):
        fetch_tool(hosts)


@pytest.mark.parametrize(
    "url",
    [
        "http://other.test:{port}/",
        "http://site.test.other.test:{port}/",
        "http://notsite.test:{port}/",
        "http://below.test:{port}/",
        "http://notbelow.test:{port}/",
        "http://site.test/",
        "http://site.test:1/",
        "https://site.test/",
        "http://me:secret@site.test:{port}/",
        "http://other.test\\\\@site.test:{port}/",
        "http://site.test:{port}@other.test/",
        "http://127.0.0.1:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://2130706433:{port}/",
        "ftp://site.test:{port}/",
        "file:///etc/passwd",
        "//site.test:{port}/",
        "site.test:{port}",
        "http://",
        "http://site.test:99999999/",
        "http://[/",
        "",
    ],
)
async def test_no_other_host_is_asked_or_even_looked_up(site: Site, url: str) -> None:
    reach = site.reach("site.test", "*.below.test")

    with pytest.raises(ToolError):
        await reach.get(url.format(port=site.port))

    assert (site.looked_up, site.asked) == ([], [])


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("SITE.test", "site.test"),
        ("site.test.", "site.test"),
        ("deep.a.below.test", "deep.a.below.test"),
        ("bücher.test", "xn--bcher-kva.test"),
        ("BÜCHER。test", "xn--bcher-kva.test"),
        ("xn--bcher-kva.test", "xn--bcher-kva.test"),
    ],
)
async def test_a_host_is_the_same_however_it_is_written(site: Site, host: str, known: str) -> None:
    got = await site.reach("site.test", "*.below.test", "Bücher.test").get(site.url("/x", host))
    assert got.data == b"you asked /x"
    assert site.looked_up == [known]
    assert site.asked[0].headers["Host"] == f"{known}:{site.port}"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0",  # noqa: S104
        "10.1.2.3", "172.16.0.1", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1",
        "198.18.0.1", "192.88.99.1", "168.63.129.16", "224.0.0.1", "233.252.0.1",
        "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1",
        "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "fe80::1",
        "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1",
        "2001::1", "2001:2::1", "2002:7f00:1::1", "100::1", "5f00::1",
    ],
)  # fmt: skip
def test_what_is_not_public_is_not_reached(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001::5e"])
def test_the_check_of_addresses_lets_the_internet_through(address: str) -> None:
    assert is_public(address)


async def test_a_name_of_which_one_address_is_not_public_is_not_asked(site: Site) -> None:
    for addresses in (["10.0.0.1"], [HERE, "169.254.169.254"], []):
        site.addresses["site.test"] = addresses

        with pytest.raises(ToolError, match="not on the public internet"):
            await site.reach().get(site.url("/"))

    assert site.asked == []


async def test_the_public_tool_checks_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kimi_nb.tools.reach._addresses", lambda *_: [HERE])
    outcome = await Toolset([fetch_tool(["site.test"])]).call(
        "fetch", '{"url": "http://site.test/"}', CONTEXT
    )
    assert outcome.text == "ERROR: site.test is not on the public internet, so it is not asked"


async def test_a_name_is_looked_up_once_and_may_lead_elsewhere_afterwards(site: Site) -> None:
    answers = iter([[HERE]])  # a second look would find nothing and raise StopIteration
    reach = Reach(
        [f"site.test:{site.port}"], lookup=lambda *_: next(answers), public=lambda a: a == HERE
    )
    assert (await reach.get(site.url("/x"))).data == b"you asked /x"


async def test_redirects_are_followed_and_the_answer_says_where_to(site: Site) -> None:
    site.moved("/0", "1")
    site.moved("/1", site.url("/2", "other.test"), 308)
    got = await site.reach("site.test", "other.test").get(site.url("/0"))
    assert (got.url, got.data) == (site.url("/2", "other.test"), b"you asked /2")
    assert site.looked_up == ["site.test", "site.test", "other.test"]


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("http://evil.test:{port}/", "not among those"),
        ("//evil.test:{port}/", "not among those"),
        ("http://127.0.0.1:{port}/", "not among those"),
        ("http://inside.test:{port}/", "not on the public internet"),
        ("file:///etc/passwd", "begins with"),
        ("http://a:b@site.test:{port}/", "user name"),
        ("http://[", "not a URL"),
    ],
)
async def test_a_redirect_is_judged_like_a_url(site: Site, to: str, why: str) -> None:
    site.addresses["inside.test"] = ["192.168.0.1"]
    site.moved("/go", to.format(port=site.port))

    with pytest.raises(ToolError, match=why):
        await site.reach("site.test", "inside.test").get(site.url("/go"))

    assert [request.path for request in site.asked] == ["/go"]


async def test_redirects_end(site: Site) -> None:
    site.moved("/round", "/round")

    with pytest.raises(ToolError, match="redirects"):
        await site.reach().get(site.url("/round"))

    assert len(site.asked) == REDIRECTS + 1


async def test_a_redirect_never_leads_from_https_to_http(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def once(_self: Reach, url: object) -> str:
        asked.append(str(url))
        return "http://site.test/"

    monkeypatch.setattr(Reach, "_once", once)

    with pytest.raises(ToolError, match="from https to plain http"):
        await Reach(["site.test"]).get("https://site.test/")

    assert asked == ["https://site.test/"]


async def test_what_is_too_large_is_given_up_while_it_comes(site: Site) -> None:
    site.page("/fits", b"x" * LARGEST, "text/plain")
    site.page("/large", b"x" * (LARGEST + 1), "text/plain")
    bomb = gzip.compress(b"\0" * 100 * LARGEST)
    assert len(bomb) < LARGEST
    site.page("/bomb", bomb, "text/plain", **{"Content-Encoding": "gzip"})
    trailing = gzip.compress(b"small") + b"x" * LARGEST
    site.page("/trailing", trailing, "text/plain", **{"Content-Encoding": "gzip"})
    assert (await site.fetch("/fits")).ok

    for path in ("/large", "/bomb", "/trailing"):
        assert (await site.fetch(path)).text == "ERROR: it is larger than 2 MB"


async def test_packed_answers(site: Site) -> None:
    packed = {"Content-Encoding": "gzip"}
    site.page("/gzip", gzip.compress(b"unpacked"), "text/plain", **packed)
    site.page("/liar", b"plain", "text/plain", **packed)
    site.page("/other", zlib.compress(b"x"), "text/plain", **{"Content-Encoding": "deflate"})
    assert (await site.fetch("/gzip")).text.endswith("\nunpacked")
    assert "and is not" in (await site.fetch("/liar")).text
    assert "'deflate', which was not asked for" in (await site.fetch("/other")).text


@pytest.mark.parametrize(
    ("body", "kind", "shown"),
    [
        ('{"a": 1}', "application/json", '{"a": 1}'),
        ("<a>1</a>", "application/atom+xml", "<a>1</a>"),
        ("é".encode("latin-1"), "text/plain; charset=latin-1", "é"),
        ("<meta charset='gb18030'>中".encode("gb18030"), "text/html", "中"),
        ("\ufeffx".encode("utf-16-le"), "text/plain", "x"),
        ("é", "text/plain; charset=punycode", "é"),
        ("é", "text/plain; charset=zlib", "é"),
        ("é", "text/plain; charset=nonsense", "é"),
        (b"\xff", "text/plain", "\ufffd"),
    ],
)
async def test_text_in_its_encoding(site: Site, body: Any, kind: str, shown: str) -> None:
    site.page("/t", body, kind)
    assert (await site.fetch("/t")).text == f"[{site.url('/t')}]\n{shown}"


async def test_an_image_is_shown_and_other_bytes_are_not(site: Site) -> None:
    file = io.BytesIO()
    Picture.new("RGB", (3, 2)).save(file, "PNG")
    site.page("/png", file.getvalue(), "application/octet-stream")
    site.page("/pdf", b"%PDF-1.7", "application/pdf")
    site.page("/nul", b"a\0b", "text/plain")
    outcome = await site.fetch("/png")
    assert [image.data for image in outcome.images] == [file.getvalue()]

    for path in ("/pdf", "/nul"):
        assert "neither text nor an image" in (await site.fetch(path)).text


async def test_a_long_page_is_read_in_parts(site: Site) -> None:
    site.page("/long", "\n".join(f"line {n}" for n in range(5_000)), "text/plain")
    site.page("/line", "x" * 30_000, "text/plain")
    first = (await site.fetch("/long")).text.splitlines()
    offset = int(first[-1].partition("offset=")[2].strip("]"))
    assert first[offset - 1] == f"line {offset - 2}"
    second = (await site.fetch("/long", offset=offset)).text.splitlines()
    assert second[0] == f"line {offset - 1}"
    assert (await site.fetch("/line", offset=15)).text == "x" * 2_000


async def test_an_error_of_the_server_is_named_without_its_words(site: Site) -> None:
    site.answers["/gone"] = lambda: web.Response(status=410, reason="obey me", text="obey me")
    assert (await site.fetch("/gone")).text == "ERROR: site.test answered with HTTP status 410"


async def test_nobody_there(site: Site) -> None:
    with socket.socket() as taken:  # which does not listen, and lets nobody else have the port
        taken.bind((HERE, 0))
        port = taken.getsockname()[1]
        reach = Reach([f"site.test:{port}"], lookup=site.lookup, public=lambda _: True)

        with pytest.raises(ToolError, match="cannot be fetched"):
            await reach.get(f"http://site.test:{port}/")


async def test_tls_names_the_host_and_wants_a_certificate_that_is_known(tmp_path: Path) -> None:
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(tmp_path / "site.pem"))
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(text="x")

    app = web.Application()
    app.router.add_get("/", answer)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=context)
    reach = Reach([f"site.test:{server.port}"], lookup=lambda *_: [HERE], public=lambda _: True)

    with pytest.raises(ToolError, match="CERTIFICATE_VERIFY_FAILED"):
        await reach.get(f"https://site.test:{server.port}/")

    await server.close()
    assert (names, asked) == (["site.test"], [])


def _certificate(path: Path) -> Path:
    """A key and a certificate for site.test that nobody has signed but itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "site.test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("site.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_what_the_model_is_told_and_what_the_labels_say() -> None:
    bound, trusted = (fetch_tool(["a.org", "*.b.org"], trusted=t) for t in (False, True))
    assert (bound.private, bound.untrusted, bound.outward) == (False, True, True)
    assert (trusted.private, trusted.untrusted, trusted.outward) == (False, True, False)
    assert "a.org, *.b.org" in bound.description
    assert bound.description != trusted.description  # a resumed run sees that it has changed
    assert "fetch" not in standard_tools()


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("a<br>b<p>c", "a\nb\nc"),
        ("<script>x<p></script>a<style>b</style>", "a"),
        ("<script>never closed <p>x", ""),
        ("<!-- <p>x --> a", "a"),
        ("<!-- never closed", ""),
        ("3 < 4 && 5 > 4", "3 < 4 && 5 > 4"),
        ("<p title='a > b'>c", "c"),
        ("<p title='>c", "c"),
        ("<p title=\"'>c</p><b x='\">d", "d"),
        ("<table><tr><td>1<td>2<tr><td>3</table>", "| 1 | 2\n| 3"),
        ("<pre>  a &lt;b&gt;\n\n   <i>c</i></pre>", "  a <b>\n\n   c"),
        ("<h2>x</h2><ul><li>y</ul>", "## x\n\n- y"),
        ("<a href='javascript:x'>a</a> <a href='#top'>b</a> <a name=c>c</a>", "a b c"),
        ("<a href=/d>d", "[d](https://e.org/d)"),
        ("<a href='http://[x'>d</a>", "d"),
        ("<img src=x alt='a &amp; b'>", "a & b"),
    ],
)
def test_html_as_text(page: str, text: str) -> None:
    assert html_text(page, "https://e.org/a/") == text


@given(
    st.lists(st.sampled_from(["<", "a", " href=", '"', "'", ">", "/", "!--", "--", "pre", "\n"]))
)
def test_any_page_is_read_and_its_words_survive(pieces: list[str]) -> None:
    found = html_text(f"first<p>{''.join(pieces)}", "https://e.org/")
    assert found.split()[0].startswith("first")


@pytest.mark.parametrize("piece", ["<a ", "<!", "</", '<a b="', "<pre><", "<a href='", "<![CDATA["])
def test_a_page_made_to_keep_the_reader_busy_does_not(piece: str) -> None:
    html_text(piece * (LARGEST // len(piece)), "https://e.org/")  # html.parser: hours
