"""What `kimi-nb` understands."""

from __future__ import annotations

import argparse

from kimi_nb._version import __version__
from kimi_nb.cli.numbers import port, positive
from kimi_nb.cli.proxy import add_proxy
from kimi_nb.views.prices import typed_price

__all__ = ["build_parser"]

LAYOUTS = """\
Grade the exercises of a class. SUBMISSIONS has a folder for each student, with notebooks
anywhere in it (nbgrader's submitted/ is one), or files named STUDENT.ipynb or
STUDENT_anything.ipynb: what stands before the first _ is the student. Links are not followed.

Each exercise runs alone, in a sandbox without network, files or truth: its answer cell, and of
the cells that the learner added those that it needs. Linux only."""


def build_parser() -> argparse.ArgumentParser:
    """The parser; `command` of its result names what to do, None if nothing was asked."""
    parser = argparse.ArgumentParser(
        prog="kimi-nb", description="Swarms of agents: run, replay, resume, report, export."
    )
    parser.add_argument("--version", action="version", version=f"kimi_nb {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_run(commands.add_parser("run", help="run a swarm on a goal"))

    replay = commands.add_parser("replay", help="show a run from its trace")
    replay.add_argument("trace", metavar="TRACE")
    _add_json(replay)

    resume = commands.add_parser("resume", help="go on with a run, in the same log")
    resume.add_argument("trace", metavar="TRACE")
    resume.add_argument("--goal", help="make sure that this is its goal; '-' reads it")
    resume.add_argument("--plan", metavar="FILE", help="make sure that this is its task graph")
    resume.add_argument("--fork", metavar="NEW", help="go on in a new log, whatever has changed")
    _add_cluster(resume)
    _add_telemetry(resume)
    _add_model(resume)
    _add_price(resume)
    _add_limits(resume)
    _add_budget(resume)
    _add_json(resume)

    report = commands.add_parser("report", help="write one self-contained HTML page")
    report.add_argument("trace", metavar="TRACE")
    report.add_argument("-o", "--output", metavar="FILE", help="default: beside the trace")
    _add_json(report)

    _add_export(commands.add_parser("export", help="write a run for other programs"))
    _add_import(commands.add_parser("import", help="make a trace of OpenTelemetry GenAI spans"))

    _add_simulator(commands.add_parser("simulator", help="serve the simulator over HTTP"))
    add_proxy(commands.add_parser("proxy", help="one key for a class, budgets for each"), port)
    _add_mcp(commands.add_parser("mcp", help="serve swarm, report and resume to an MCP client"))
    _add_bench(commands.add_parser("bench", help="measure swarms against single agents"))
    _add_parl(commands.add_parser("parl", help="train an orchestrator, or reproduce experiments"))
    _add_lab(commands.add_parser("lab", help="copy the notebooks and open them in JupyterLab"))
    _add_grade(
        commands.add_parser(
            "grade",
            help="grade a class's notebooks, each answer in a sandbox",
            description=LAYOUTS,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    )
    doctor = commands.add_parser("doctor", help="check the key, the models and the endpoint")
    _add_model(doctor)
    _add_thinking(doctor)
    _add_json(doctor)
    return parser


def _add_run(run: argparse.ArgumentParser) -> None:
    run.add_argument("goal", metavar="GOAL", help="what to do; '-' reads it from standard input")
    run.add_argument("--agents", type=int, default=20, metavar="N", help="sub-agents at most")
    run.add_argument("--single", action="store_true", help="one agent does it all alone")
    run.add_argument("--plan", metavar="FILE", help="a task graph (YAML) instead")
    run.add_argument("--folder", default=".", metavar="PATH", help="what the file tools see")
    run.add_argument("--tools", default="", metavar="NAMES", help="tools of kimi_nb, as a,b")
    _add_cluster(run)
    _add_telemetry(run)
    run.add_argument("--trace", metavar="FILE", help="where the log goes")
    run.add_argument("--seed", type=int, default=0, metavar="N")
    run.add_argument("--no-early-start", action="store_true", help="wait for the turn's end")
    _add_model(run)
    _add_thinking(run)
    _add_price(run)
    _add_limits(run)
    _add_budget(run)
    _add_json(run)


def _add_export(export: argparse.ArgumentParser) -> None:
    export.add_argument("trace", metavar="TRACE")
    export.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help=".json for Perfetto, .csv, .graphml or .html; default: .json beside the trace",
    )
    export.add_argument(
        "--rows", metavar="NAME", help="which .csv: agents, stages, steps, tools, path or facts"
    )
    export.add_argument(
        "--otlp",
        nargs="?",
        const="",
        metavar="URL",
        help="send OpenTelemetry spans instead; default: as OTEL_EXPORTER_OTLP_ENDPOINT says",
    )
    _add_json(export)


def _add_import(spans: argparse.ArgumentParser) -> None:
    spans.add_argument("spans", metavar="SPANS", help="OTLP JSON, as a Collector writes to a file")
    spans.add_argument("-o", "--output", metavar="TRACE", required=True, help="the new trace")
    spans.add_argument(
        "--trace-id", default="", metavar="ID", help="which, by its begin; default: the largest"
    )
    _add_json(spans)


def _add_cluster(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cluster", metavar="ADDRESS", help="a Dask scheduler's, tcp://HOST:8786")


def _add_telemetry(parser: argparse.ArgumentParser) -> None:
    otlp = "send OpenTelemetry spans as it goes on; default: as OTEL_EXPORTER_OTLP_ENDPOINT says"
    parser.add_argument("--otlp", nargs="?", const="", metavar="URL", help=otlp)
    serve = "serve metrics to Prometheus meanwhile, as 9464"
    parser.add_argument("--metrics-port", type=port, metavar="PORT", help=serve)


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="ID", help="model id, 'simulator', or 'parl:CHECKPOINT'")
    parser.add_argument("--base-url", metavar="URL", help="an OpenAI-compatible endpoint")


def _add_thinking(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--thinking", metavar="WAY", help="low, high, max, on or off")


def _add_price(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--price",
        type=typed_price,
        metavar="IN,CACHED,OUT",
        help="the model's, in USD for 1M tokens",
    )


def _add_limits(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tier", metavar="N", help="the account's tier at Moonshot, 0 to 5")
    parser.add_argument("--concurrency", type=int, metavar="N", help="calls at once")
    parser.add_argument("--rpm", type=float, metavar="N", help="requests a minute")
    parser.add_argument("--tpm", type=float, metavar="N", help="tokens a minute")


def _add_budget(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--steps", type=int, metavar="N", help="budget: model calls in all")
    parser.add_argument("--critical-steps", type=int, metavar="N", help="budget: critical steps")
    parser.add_argument("--tokens", type=int, metavar="N", help="budget: tokens")
    parser.add_argument("--usd", type=float, metavar="X", help="budget: US dollars")
    parser.add_argument("--seconds", type=float, metavar="X", help="budget: wall time")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", action="store_true", help="exactly one JSON object on standard output"
    )


def _add_mcp(mcp: argparse.ArgumentParser) -> None:
    mcp.add_argument("--folder", default=".", metavar="PATH", help="all that the client may name")
    mcp.add_argument("--agents", type=int, default=20, metavar="N", help="sub-agents at most")
    mcp.add_argument("--host", default="127.0.0.1")
    mcp.add_argument("--port", type=port, metavar="N", help="serve HTTP there instead of stdio")
    _add_model(mcp)
    _add_price(mcp)
    _add_limits(mcp)
    _add_budget(mcp)


def _add_bench(bench: argparse.ArgumentParser) -> None:
    bench.add_argument("what", choices=["swarm"], help="on tasks with a truth")
    bench.add_argument(
        "--families", default="", metavar="A,B", help="which tasks; default: all of kn.worlds"
    )
    bench.add_argument("--sizes", default="", metavar="N,M", help="items; default: of each family")
    bench.add_argument("--seeds", type=int, default=1, metavar="N", help="tasks of each size")
    bench.add_argument("--seed", type=int, default=0, metavar="N", help="the first of them")
    bench.add_argument("--agents", type=int, default=100, metavar="N", help="sub-agents at most")
    bench.add_argument("-o", "--output", metavar="FOLDER", help="logs and tables; goes on there")
    _add_model(bench)
    _add_price(bench)
    _add_limits(bench)
    _add_budget(bench)
    _add_json(bench)


def _add_parl(parl: argparse.ArgumentParser) -> None:
    what = parl.add_subparsers(dest="what", metavar="WHAT", required=True)
    again = what.add_parser("reproduce", help="the experiments, with tables and figures")
    again.add_argument("names", nargs="*", metavar="NAME", help="which; default: all nine")
    again.add_argument("--seeds", type=positive, default=12, metavar="N", help="default: 12")
    again.add_argument(
        "--out", default="notebooks/parl", metavar="FOLDER", help="goes on there; has the results"
    )
    where = again.add_mutually_exclusive_group()
    where.add_argument(
        "--jobs", type=positive, metavar="N", help="processes at once; default: one for each core"
    )
    where.add_argument(
        "--cluster", metavar="ADDRESS", help="on the workers of this Dask scheduler, tcp://…"
    )
    _add_json(again)

    one = what.add_parser("train", help="one training, with a log and a checkpoint")
    one.add_argument("--log", metavar="FILE", help="a new one; the checkpoint lies beside it")
    one.add_argument("--resume", metavar="FILE", help="go on with the training of this log")
    schedule = "START[,END[,SHAPE[,UNTIL]]]"
    one.add_argument(
        "--parallel", default="0.3,0,linear,0.7", metavar=schedule, help="λ of r_parallel"
    )
    one.add_argument("--finish", metavar=schedule, help="λ of r_finish, in the report's form")
    one.add_argument("--form", default="report", metavar="NAME", help="report or blog")
    one.add_argument("--policy", default="linear", metavar="NAME", help="default: linear")
    one.add_argument("--spawning", type=float, default=0.0, metavar="X", help="the prior's")
    one.add_argument("--iterations", type=int, default=300, metavar="N")
    one.add_argument("--seed", type=int, default=0, metavar="N")
    _add_json(one)


def _add_lab(lab: argparse.ArgumentParser) -> None:
    lab.add_argument(
        "folder",
        nargs="?",
        default="curriculum",
        metavar="FOLDER",
        help="where the copy lies; default: curriculum",
    )
    lab.add_argument("--language", choices=["en", "zh"], help="which notebook is opened")
    lab.add_argument("--copy-only", action="store_true", help="do not open JupyterLab")
    _add_json(lab)


def _add_grade(grade: argparse.ArgumentParser) -> None:
    grade.add_argument("submissions", metavar="SUBMISSIONS", help="the folder")
    grade.add_argument(
        "--seed",
        default="",
        metavar="SECRET",
        help="draws the hidden cases; @FILE reads it; default: KIMI_NB_SEED, else a new one",
    )
    grade.add_argument("--out", metavar="FILE", help="CSV, a row for each exercise of a student")
    grade.add_argument("--nbgrader", metavar="FILE", help="CSV with nbgrader's own columns")
    grade.add_argument("--feedback", metavar="FOLDER", help="a page for each student")
    grade.add_argument("--lessons", default="", metavar="A,B", help="as 03,04; default: all there")
    grade.add_argument("--exercises", metavar="FILE", help="Python with EXERCISES of your own")
    grade.add_argument(
        "--seconds", type=float, default=10.0, metavar="X", help="for an answer; default: 10"
    )
    _add_json(grade)


def _add_simulator(simulator: argparse.ArgumentParser) -> None:
    simulator.add_argument("--host", default="127.0.0.1")
    simulator.add_argument("--port", type=port, default=8000, help="0 takes a free one")
    simulator.add_argument("--seed", type=int, default=0, metavar="N")
    numbers = {
        "--latency": (0.3, "median seconds until the first chunk"),
        "--tokens-per-second": (0.0, "pace of the stream; 0 is at once"),
        "--failure-rate": (0.0, "share of calls answered with a 500"),
        "--rate-limit-rate": (0.0, "share of calls answered with a 429 (rate limit)"),
        "--overload-rate": (0.0, "share of calls answered with a 429 (overloaded)"),
        "--drop-rate": (0.0, "share of streams that break off"),
    }

    for name, (default, what) in numbers.items():
        simulator.add_argument(name, type=float, default=default, metavar="X", help=what)
