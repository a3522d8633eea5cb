"""Pages that try to reach a server, and a server that hears whoever does."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Iterator


class Ear:
    """Listens on one port of this machine, TCP and UDP; `heard` says by what it was reached."""

    def __init__(self) -> None:
        self._tcp, self._udp = _pair()
        self.port = self._tcp.getsockname()[1]
        self.heard: set[str] = set()

    def serve(self) -> None:
        """Take connections until the socket is closed."""
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._tcp.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def listen(self) -> None:
        """Take datagrams until an empty one comes."""
        with self._udp:
            while self._udp.recvfrom(2048)[0]:
                self.heard.add("stun")

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self.heard.add("connection")
            connection.settimeout(5.0)
            asked = connection.recv(4096).decode("latin-1")

            if found := re.match(r"[A-Z]+ /([a-z-]*)", asked):
                self.heard.add(found[1])

            connection.sendall(
                b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 0\r\n"
                b"Access-Control-Allow-Headers: *\r\nConnection: close\r\n\r\n"
            )

    def close(self) -> None:
        self._tcp.shutdown(socket.SHUT_RDWR)
        self._udp.sendto(b"", self._udp.getsockname())
        self._tcp.close()


def _pair() -> tuple[socket.socket, socket.socket]:
    """Sockets for TCP and UDP with the same number."""
    while True:
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

        try:
            udp.bind(tcp.getsockname())
        except OSError:
            tcp.close()
            udp.close()
        else:
            return tcp, udp


@contextlib.contextmanager
def ear() -> Iterator[Ear]:
    """A listening Ear."""
    made = Ear()
    threads = [threading.Thread(target=each, daemon=True) for each in (made.serve, made.listen)]

    for thread in threads:
        thread.start()

    try:
        yield made
    finally:
        made.close()

        for thread in threads:
            thread.join()


QUIET = """
<link rel=stylesheet href="http://{at}/css">
<link rel=preload as=fetch crossorigin href="http://{at}/preload">
<link rel=prefetch href="http://{at}/prefetch">
<style>
  @import "http://{at}/css-import";
  @font-face {{ font-family: far; src: url("http://{at}/font") }}
  p {{ font-family: far; background: url("http://{at}/css-url") }}
</style>
<p>text</p>
<img src="http://{at}/img">
<img src="http://{name}/img-by-name">
<script src="http://{at}/script"></script>
<script type=module src="http://{at}/module"></script>
<iframe src="http://{at}/iframe"></iframe>
<iframe srcdoc="<script>fetch('http://{at}/srcdoc-fetch', {{mode: 'no-cors'}})</script>"></iframe>
<object data="http://{at}/object"></object>
<video src="http://{at}/video"></video>
<audio src="http://{at}/audio"></audio>
<svg width=9 height=9><image href="http://{at}/svg-image" width=9 height=9 /></svg>
<a id=ping href="#here" ping="http://{at}/ping">here</a>
<script>
  document.querySelector("#ping").click();
  fetch("http://{at}/fetch", {{mode: "no-cors"}}).catch(() => 0);
  const asked = new XMLHttpRequest();
  asked.open("GET", "http://{at}/xhr");
  asked.send();
  navigator.sendBeacon("http://{at}/beacon", "x");
  new WebSocket("ws://{at}/websocket");
  new EventSource("http://{at}/events");
  import("http://{at}/import").catch(() => 0);
  const inside = `
    fetch("http://{at}/worker-fetch", {{mode: "no-cors"}}).catch(() => 0);
    new WebSocket("ws://{at}/worker-websocket");
  `;
  const script = URL.createObjectURL(new Blob([inside], {{type: "text/javascript"}}));
  new Worker(script);
  new SharedWorker(URL.createObjectURL(new Blob([inside.replaceAll("worker-", "shared-")])));
  const peer = new RTCPeerConnection({{iceServers: [{{urls: "stun:{at}"}}]}});
  peer.createDataChannel("x");
  peer.createOffer().then(offer => peer.setLocalDescription(offer));
</script>
"""
"""All at once, for none of it leads away from the page. RTCPeerConnection may be missing: last."""
QUIET_WAYS = frozenset(re.findall(r"\{at\}/([a-z-]+)", QUIET)) | {
    *("img-by-name", "stun", "shared-fetch", "shared-websocket")
}
LEADING_AWAY = {
    "refresh": '<meta http-equiv=refresh content="0; url=http://{at}/refresh">',
    "form": '<form method=post action="http://{at}/form"><input name=a></form>'
    "<script>document.forms[0].submit()</script>",
    "location": '<script>location = "http://{at}/location"</script>',
    "blank": '<a target=_blank href="http://{at}/blank">a</a>'
    '<script>document.querySelector("a").click()</script>',
    "open": '<script>window.open("http://{at}/open")</script>',
    "download": '<a download href="http://{at}/download">a</a>'
    '<script>document.querySelector("a").click()</script>',
    "connection": '<link rel=preconnect href="http://{at}">',
}
"""What leads away from the page, or cannot be told apart by its path."""
WAYS = QUIET_WAYS | LEADING_AWAY.keys()


def pages(port: int) -> list[str]:
    """HTML that tries all WAYS to reach a port of this machine."""
    at, name = f"127.0.0.1:{port}", f"some.localhost:{port}"
    away = [page.format(at=at) for page in LEADING_AWAY.values()]
    return [QUIET.format(at=at, name=name), *away]
