"""The proxy's parts, each for itself: the sheet, keys, purses, turns, the command."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import functools
import io
import math
import random
import re
import socket
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virtual_time import in_virtual_time

from kimi_nb.cli.main import main
from kimi_nb.errors import BudgetExceeded, QuotaExhausted, TraceLocked, UsageFault
from kimi_nb.models.faults import fault
from kimi_nb.models.limiter import Limiter
from kimi_nb.proxy.asked import read_request
from kimi_nb.proxy.keys import Keyring, Who, mint
from kimi_nb.proxy.ledger import Entry, Ledger
from kimi_nb.proxy.purse import Purse, reserve
from kimi_nb.proxy.seats import Seats
from kimi_nb.proxy.sheet import Allowance, read_sheet
from kimi_nb.proxy.turnstile import Turnstile
from kimi_nb.views.prices import PRICES, Price

MOONSHOT = "upstream: {base_url: 'https://api.moonshot.ai/v1', models: [kimi-k3], tier: T2}\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "class.yml"
    path.write_text(text)
    return path


# The sheet


def test_a_sheet_says_what_each_may_spend(tmp_path: Path) -> None:
    each = "each: {usd: 2, concurrency: 4}, students: {ben: {usd: 5}}"
    sheet = read_sheet(
        written(tmp_path, MOONSHOT + f"classes: {{11b: {{usd: 50, rpm: 90, {each}}}}}")
    )
    group = sheet.groups["11b"]
    assert (group.whole.usd, group.limits.rpm, group.each.usd) == (50, 90, 2)
    assert group.students["ben"] == Allowance(usd=5, concurrency=4)
    assert sheet.limits.rpm == 500
    assert sheet.prices["kimi-k3"] == PRICES["kimi-k3"]
    assert sheet.ledger == tmp_path / "class.ledger.jsonl"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "must name the endpoint"),
        ("a: [", "no YAML"),
        ("[1]", "no mapping"),
        ("upstream: {base_url: 'http://x/v1'}\nclasses: {a: {}}", "must name the endpoint"),
        (MOONSHOT, "has no class"),
        (MOONSHOT + "classes: {a: {rmp: 3}}", "classes.a: there is no 'rmp'; there are"),
        (MOONSHOT + "classes: {a: {each: {usd: -1}}}", "classes.a.each.usd: -1 is no number"),
        (MOONSHOT + "classes: {a: {each: {usd: .nan}}}", "no number"),
        (MOONSHOT + "classes: {a: {each: {concurrency: 1.5}}}", "no whole number"),
        (MOONSHOT + "classes: {a: {until: soon}}", "write 2027-01-31"),
        (MOONSHOT + "classes: {a: {usd: 4 USD}}", "'4 USD' is no number above 0; write 2 or 0.5"),
        (MOONSHOT + "contact:\nclasses: {a: {}}", "None is no text; write it in 'quotes'"),
        (MOONSHOT + "classes: {a: {}, b: {}, a: {}}", "'a' stands there twice"),
        (
            MOONSHOT.replace("{", "{prices: {x: [3, 4]}, ", 1) + "classes: {a: {}}",
            "write {x: '3,0.3,15'}",
        ),
        (MOONSHOT + "classes: {a: {students: [ben]}}", "write NAME: VALUE"),
        (MOONSHOT.replace("T2", "T9") + "classes: {a: {}}", "no tier 'T9'"),
        (
            MOONSHOT.replace("kimi-k3", "other") + "classes: {a: {usd: 1}}",
            "needs the price of other",
        ),
        ("upstream: {base_url: simulator, tls: {key: x}}\nclasses: {a: {}}", "there is no file"),
    ],
)
def test_what_is_wrong_with_a_sheet_is_said(tmp_path: Path, text: str, why: str) -> None:
    if not text:
        text = "classes: {a: {}}"

    with pytest.raises(UsageFault, match=why.replace(".", r"\.")):
        read_sheet(written(tmp_path, text))


# Keys


def test_keys_are_kept_as_hashes_and_the_newest_counts(tmp_path: Path) -> None:
    sheet = read_sheet(written(tmp_path, MOONSHOT + "classes: {a: {}}"))
    ana = Who("a", "ana")
    old = mint(sheet, [ana])[ana]
    keyring = Keyring(sheet.keys)
    assert keyring.whose(old) == ana
    new = mint(sheet, [ana, Who("a", "ben")])[ana]
    assert [keyring.whose(key) for key in (old, new, new + "x", "")] == [None, ana, None, None]
    assert new not in sheet.keys.read_text()
    assert sheet.keys.stat().st_mode & 0o077 == 0
    assert keyring.learners() == [ana, Who("a", "ben")]


@pytest.mark.parametrize(
    ("names", "why"),
    [(["a", "b", "c"], "2 seats"), ([""], "no name"), (["x\ny"], "no name"), (["=1+1"], "no name")],
)
def test_keys_are_not_for_everybody(tmp_path: Path, names: list[str], why: str) -> None:
    sheet = read_sheet(written(tmp_path, MOONSHOT + "classes: {k: {seats: 2}}"))

    with pytest.raises(UsageFault, match=why):
        mint(sheet, [Who("k", name) for name in names])

    assert not sheet.keys.exists()

    with pytest.raises(UsageFault, match="no class 'z'; it has k"):
        mint(sheet, [Who("z", "ana")])


def test_who_had_a_key_gets_another_though_all_seats_are_taken(tmp_path: Path) -> None:
    sheet = read_sheet(written(tmp_path, MOONSHOT + "classes: {k: {seats: 1}}"))
    mint(sheet, [Who("k", "ana")])
    assert mint(sheet, [Who("k", "ana")])


# The command


def test_the_command_mints_and_reports(tmp_path: Path, capsys) -> None:
    path = str(written(tmp_path, MOONSHOT + "classes: {a: {each: {usd: 2}}}"))
    names = tmp_path / "students.csv"
    names.write_text("name,mail\nana,x\nben,y\n", "utf-8-sig")
    assert main(["proxy", path, "--keys", str(names)]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["class"], row["name"]) for row in rows] == [("a", "ana"), ("a", "ben")]
    assert all(len(row["key"]) > 40 and row["key"].startswith("sk-class-") for row in rows)
    assert main(["proxy", path, "--report"]) == 0
    assert re.split("  +", capsys.readouterr().out.splitlines()[1]) == [
        *("a", "ana", "0", "0", "0.0000"),
        "2 usd",
    ]


def test_the_command_says_what_is_missing(tmp_path: Path, capsys) -> None:
    path = str(written(tmp_path, MOONSHOT + "classes: {a: {}, b: {}}"))
    names = tmp_path / "students.csv"
    names.write_text("who\nana\n")
    assert main(["proxy", path, "--keys", str(names)]) == 2
    assert "needs a column 'name'" in capsys.readouterr().err
    names.write_text("name\nana\n")
    assert main(["proxy", path, "--keys", str(names)]) == 2
    assert "has no class ''; it has a, b" in capsys.readouterr().err
    assert main(["proxy", path]) == 2
    assert "set MOONSHOT_API_KEY" in capsys.readouterr().err
    assert main(["proxy", str(tmp_path / "none.yml")]) == 1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"name;class\nana;a\n", "with commas between them"),
        ("name\nJosé\n".encode("latin-1"), "save it as 'CSV UTF-8'"),
        (b"name\nana\nben\nana\n", "has 'ana' twice"),
    ],
)
def test_a_list_of_learners_may_be_wrong(tmp_path: Path, capsys, text: bytes, why: str) -> None:
    path = written(tmp_path, MOONSHOT + "classes: {a: {}}")
    names = tmp_path / "students.csv"
    names.write_bytes(text)
    assert main(["proxy", str(path), "--keys", str(names)]) == 2
    assert why in capsys.readouterr().err
    assert not read_sheet(path).keys.exists()


def test_a_second_list_says_whose_keys_it_ends(tmp_path: Path, capsys) -> None:
    path = str(written(tmp_path, MOONSHOT + "classes: {a: {}}"))
    names = tmp_path / "students.csv"

    for text, ended in (("name\nana\n,\n\n", False), ("name\nana\nben\n", True)):
        names.write_text(text)
        assert main(["proxy", path, "--keys", str(names)]) == 0
        assert ("1 of them had a key before" in capsys.readouterr().err) is ended


def test_who_left_has_a_key_no_more(tmp_path: Path) -> None:
    sheet = read_sheet(written(tmp_path, MOONSHOT + "classes: {a: {seats: 2}}"))
    ana, ben = Who("a", "ana"), Who("a", "ben")
    keys = mint(sheet, [ana, ben])
    ring = Keyring(sheet.keys)
    assert ring.whose(keys[ana]) == ana
    lines = sheet.keys.read_text().splitlines(keepends=True)
    sheet.keys.write_text("".join(line for line in lines if '"ana"' not in line))
    assert (ring.whose(keys[ana]), ring.whose(keys[ben])) == (None, ben)
    mint(sheet, [Who("a", "cyd")])  # there is a seat again


def test_why_it_cannot_serve_is_said(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.delenv("MOONSHOT_API_KEY", raising=False)
    path = written(tmp_path, "upstream: {base_url: simulator}\nclasses: {a: {}}")

    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["proxy", str(path), "--port", str(taken.getsockname()[1])]) == 2

    assert "is taken: name another with --port" in capsys.readouterr().err
    ledger = Ledger(read_sheet(path).ledger)
    assert main(["proxy", str(path)]) == 2
    assert "another proxy has" in capsys.readouterr().err
    ledger.close()
    path.write_text(MOONSHOT + "classes: {a: {}}")
    assert main(["proxy", str(path)]) == 2
    assert "upstream: {key_file: FILE}" in capsys.readouterr().err
    (tmp_path / "empty").write_text("\n")
    path.write_text(MOONSHOT.replace("{", "{key_file: empty, ", 1) + "classes: {a: {}}")
    assert main(["proxy", str(path)]) == 2
    assert "is empty: write the endpoint's key into it" in capsys.readouterr().err
    tls = "tls: {certificate: empty, key: empty}"
    path.write_text(f"upstream: {{base_url: simulator, {tls}}}\nclasses: {{a: {{}}}}")
    assert main(["proxy", str(path), "--port", "0"]) == 2
    assert "are no pair in PEM" in capsys.readouterr().err


def test_two_proxies_do_not_share_a_ledger(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "l.jsonl")

    with pytest.raises(TraceLocked):
        Ledger(tmp_path / "l.jsonl")

    ledger.close()


# Purses


def purse(**limits: float) -> Purse:
    return Purse(Allowance(**limits), "ana", lambda: dt.date(2027, 1, 1))


@given(
    st.integers(1, 5000),
    st.lists(st.tuples(st.integers(1, 900), st.integers(1, 3000), st.floats(0, 1)), max_size=20),
)
def test_no_order_of_calls_overdraws(limit: int, calls: list[tuple[int, int, float]]) -> None:
    mine, price = purse(tokens=limit, usd=limit / 1e5), Price(3, 0.3, 15)

    async def spend() -> None:
        async def one(prompt: int, longest: int, share: float) -> None:
            try:
                hold = await reserve((mine,), prompt, longest, price)
            except BudgetExceeded:
                return

            await asyncio.sleep(0)
            made = int(hold.max_tokens * share)
            hold.settle(prompt + made, price.usd(prompt, made))

        await asyncio.gather(*(one(*call) for call in calls))

    asyncio.run(spend())
    assert mine.spent["tokens"] <= limit
    assert mine.spent["usd"] <= limit / 1e5 + 1e-9
    assert not mine.busy
    left = mine.left()
    assert left["tokens"] == limit - mine.spent["tokens"]


async def test_a_call_waits_for_what_others_may_give_back() -> None:
    mine = purse(tokens=1000)
    first = await reserve((mine,), 100, 900, None)
    second = asyncio.create_task(reserve((mine,), 100, 800, None))
    await asyncio.sleep(0)
    assert not second.done()
    first.settle(150, 0.0)
    assert (await second).max_tokens == 750


async def test_a_day_begins_with_a_full_purse() -> None:
    today = dt.date(2027, 1, 1)
    mine = Purse(Allowance(tokens_per_day=1000, tokens=1900), "ana", lambda: today)
    mine.spend(950, 0.0)

    with pytest.raises(BudgetExceeded, match=r"950 of 1,000 tokens per day.* wait until tomorrow"):
        await reserve((mine,), 1, 300, None)

    today = dt.date(2027, 1, 2)
    assert (await reserve((mine,), 1, 300, None)).tokens == 301
    assert mine.left() == {"tokens": 649, "tokens_per_day": 699}


async def test_dollars_for_a_model_without_a_price_are_not_counted() -> None:
    assert (await reserve((purse(usd=1),), 10, 20, None)).usd == 0
    assert purse().room(10, None) == math.inf


def test_what_was_paid_before_is_counted_on_its_day(tmp_path: Path) -> None:
    sheet = read_sheet(written(tmp_path, MOONSHOT + "classes: {a: {each: {tokens_per_day: 99}}}"))
    noon = dt.datetime(2027, 1, 5, 12).astimezone()
    days = [noon - dt.timedelta(days=1), noon, noon]
    past = [
        Entry(
            at=day.timestamp(),
            group=group,
            student="ana",
            model="kimi-k3",
            tokens_in=10,
            tokens_out=5,
            tokens_cached=0,
            usd=0.5,
            status=200,
            seconds=1.0,
        )
        for day, group in zip(days, ("a", "a", "closed"), strict=True)
    ]
    seats = Seats(sheet, past, noon.date)
    assert seats.of(Who("a", "ana")).purse.left() == {"tokens_per_day": 84}
    assert seats.rooms["a"].purse.spent["tokens"] == 30
    assert [seat.who for seat in seats.everybody()] == [Who("a", "ana")]


# Turns


def in_turn(
    test: Callable[..., Coroutine[Any, Any, None]],
) -> Callable[..., None]:
    """In virtual time a pause lasts until all have done what they can."""

    @functools.wraps(test)
    def timed(**given: Any) -> None:
        in_virtual_time(test(**given))

    return timed


async def let_in(gate: Turnstile, who: str, order: list[str], most: int | None = None) -> None:
    await gate.enter(who, 1, most=most)
    order.append(who)


@in_turn
async def test_the_greedy_do_not_keep_others_waiting() -> None:
    gate, order = Turnstile(Limiter(concurrency=4)), list[str]()
    calls = [asyncio.create_task(let_in(gate, "greedy", order)) for _ in range(300)]
    await asyncio.sleep(0.01)
    calls += [asyncio.create_task(let_in(gate, who, order)) for who in ("ben", "cyd") for _ in "12"]
    await asyncio.sleep(0.01)
    assert order == ["greedy"] * 4

    for _ in range(6):
        gate.leave("greedy" if gate.inside["greedy"] else "ben", 1, None)
        await asyncio.sleep(0.01)

    assert order[4] == "greedy"  # it stood at the limiter already
    assert Counter(order[5:8]) in ({"ben": 2, "cyd": 1}, {"ben": 1, "cyd": 2})

    for call in calls:
        call.cancel()

    await asyncio.gather(*calls, return_exceptions=True)
    assert gate.waiting == 0


async def test_nothing_stays_unused_while_somebody_waits() -> None:
    gate, order = Turnstile(Limiter(concurrency=4)), list[str]()
    await asyncio.gather(*(let_in(gate, "ana", order) for _ in range(4)))
    assert order == ["ana"] * 4


@in_turn
async def test_a_learner_may_have_a_limit_of_ones_own() -> None:
    gate, order = Turnstile(Limiter()), list[str]()
    calls = [asyncio.create_task(let_in(gate, "ana", order, 2)) for _ in range(3)]
    calls.append(asyncio.create_task(let_in(gate, "ben", order)))
    await asyncio.sleep(0.01)
    assert sorted(order) == ["ana", "ana", "ben"]
    gate.leave("ana", 1, None)
    await asyncio.gather(*calls)
    assert gate.inside == {"ana": 2, "ben": 1}


@pytest.mark.parametrize("seed", range(20))
@in_turn
async def test_who_goes_away_leaves_no_trace(seed: int) -> None:
    draw = random.Random(seed)
    gate, order = Turnstile(Limiter(concurrency=2)), list[str]()

    async def one(who: str) -> None:
        await let_in(gate, who, order, 2)

        try:
            await asyncio.sleep(draw.random() / 200)
        finally:
            gate.leave(who, 1, None)

    calls = [asyncio.create_task(one(draw.choice("abc"))) for _ in range(40)]

    for call in draw.sample(calls, 20):
        await asyncio.sleep(draw.random() / 500)
        call.cancel()

    await asyncio.gather(*calls, return_exceptions=True)
    assert (gate.waiting, gate.inside, gate.limiter.in_flight) == (0, {}, 0)
    assert sum(call.cancelled() is False for call in calls) <= len(order)


# What our client makes of a budget's end


def test_a_used_up_budget_is_no_empty_account() -> None:
    litellm = {"message": "Budget has been exceeded!", "type": "budget_exceeded", "code": "429"}
    error = fault(429, {"error": litellm})
    assert type(error) is QuotaExhausted
    assert str(error) == "HTTP 429 budget_exceeded: Budget has been exceeded!"


# Requests


def test_an_image_counts_as_its_tokens_not_as_its_text() -> None:
    def size(letters: int) -> int:
        url = "data:image/png;base64," + "A" * letters
        part = f'{{"type":"image_url","image_url":{{"url":"{url}"}}}}'
        body = f'{{"model":"m","messages":[{{"role":"user","content":[{part}]}}]}}'
        return read_request(body.encode(), ["m"]).prompt_estimate

    assert size(400_000) == size(40) > 1400
