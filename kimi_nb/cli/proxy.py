"""`kimi-nb proxy`."""

from __future__ import annotations

import argparse
import asyncio
import csv
import errno
import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from kimi_nb.cli.output import tell
from kimi_nb.errors import TraceLocked, UsageFault
from kimi_nb.proxy.keys import Keyring, Who, mint
from kimi_nb.proxy.report import usage_report
from kimi_nb.proxy.sheet import Sheet, read_sheet

__all__ = ["add_proxy", "proxy"]


def add_proxy(parser: argparse.ArgumentParser, port: Callable[[str], int]) -> None:
    """Give a parser the options; `port` reads a port's number."""
    parser.add_argument("sheet", metavar="CLASS.yml", help="the endpoint, the classes, the budgets")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=port, default=8100, help="0 takes a free one")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--keys", metavar="CSV", help="mint a key for each name there, and end")
    instead.add_argument("--report", action="store_true", help="print what was used, and end")


def proxy(asked: argparse.Namespace) -> int:
    """Serve a class, or mint its keys, or print what it has used; the exit code."""
    sheet = read_sheet(Path(asked.sheet))

    if asked.keys:
        learners = _learners(sheet, Path(asked.keys))
        renewed = len(set(learners) & set(Keyring(sheet.keys).learners()))
        print(_minted(sheet, learners), end="", flush=True)
        tell(f"{sheet.keys} has the hashes; the keys are shown this once, hand them out")

        if renewed:
            tell(f"{renewed} of them had a key before, which has ended; their budgets go on")
    elif asked.report:
        print(usage_report(sheet), flush=True)
    else:
        _serve(sheet, asked.host, asked.port)

    return 0


def _learners(sheet: Sheet, path: Path) -> list[Who]:
    """Who stands in a CSV."""
    try:
        rows = csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))
    except UnicodeDecodeError:
        raise UsageFault(f"{path} is not in UTF-8: save it as 'CSV UTF-8'") from None

    if "name" not in (rows.fieldnames or ()):
        raise UsageFault(
            f"{path} needs a column 'name', and 'class' where there are several, with commas "
            "between them"
        )

    only = next(iter(sheet.groups)) if len(sheet.groups) == 1 else ""
    learners = [
        Who((row.get("class") or only).strip(), name)
        for row in rows
        if (name := (row["name"] or "").strip())
    ]

    if twice := [who for who, count in Counter(learners).items() if count > 1]:
        raise UsageFault(f"{path} has {twice[0].student!r} twice: give each a name of their own")

    return learners


def _minted(sheet: Sheet, learners: list[Who]) -> str:
    """A new key for each, as CSV."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["class", "name", "key"])
    table.writerows([*who, key] for who, key in mint(sheet, learners).items())
    return out.getvalue()


def _serve(sheet: Sheet, host: str, port: int) -> None:
    from kimi_nb.proxy.serve import is_loopback, serve

    if sheet.tls is None and not is_loopback(host):
        tell(
            f"WARNING: keys and prompts go unencrypted to {host}, and kimi-nb elsewhere refuses "
            "that: write upstream: {tls: {certificate: FILE, key: FILE}}, or leave --host out "
            "and put a web server with a certificate before it"
        )

    def ready(url: str) -> None:
        tell(f"proxy to {sheet.base_url} at {url}; stop it with Ctrl-C")
        tell(f"learners set KIMI_BASE_URL={url} and KIMI_API_KEY to their key")

    try:
        asyncio.run(serve(sheet, host, port, ready))
    except TraceLocked:
        raise UsageFault(f"another proxy has {sheet.ledger} open: stop that one first") from None
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise

        raise UsageFault(f"port {port} is taken: name another with --port") from None
