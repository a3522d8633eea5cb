"""What a learner does, in a Python without threads; prints one JSON object."""

import json
from pathlib import Path

import kimi_nb as kn

HOURS = {"zoo": "9:00-17:00", "opera": "10:00-20:00", "tate": "11:00-18:00"}
GOAL = "Compare the opening hours of the museums in museums/. Give one table."


def write() -> None:
    Path("museums").mkdir()

    for name, hours in HOURS.items():
        Path(f"museums/{name}.md").write_text(f"# {name}\n\nOpening hours: {hours}\n", "utf-8")


async def cut() -> kn.Run:
    """A run that was cancelled once its first sub-agent was there."""
    run = kn.swarm(GOAL)

    async for _ in run:
        if run.metrics.as_dict()["agents"] > 1:
            break

    run.cancel()
    return await run


async def main() -> None:
    run = kn.swarm(GOAL)

    try:
        run.result()
    except kn.UsageFault as error:
        refused = str(error)

    await run
    half = await cut()
    status = half.status
    whole = await kn.resume(half.path)
    found = {
        "status": run.status,
        "why": run.why,
        "answer": run.answer,
        "refused": refused,
        "most": kn.concurrency(run).peak,
        "replayed": kn.replay(run.path).metrics == run.metrics,
        "cut": status,
        "resumed": whole.status,
    }
    print(json.dumps(found))  # noqa: T201


write()
main()  # the value of the script, which Pyodide awaits
