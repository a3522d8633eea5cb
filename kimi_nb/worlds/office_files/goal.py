"""What is asked for, in words."""

from __future__ import annotations

from kimi_nb.worlds.office_files import contracts, invoices, minutes, prices, sales
from kimi_nb.worlds.office_files.folder import ALL, SUMMED, Company

__all__ = ["goal_of"]

_ASKED = {
    "sales": ("csv", sales.FACTS),
    "invoices": ("pdf", invoices.FACTS),
    "contracts": ("docx", contracts.FACTS),
    "prices": ("xlsx", prices.FACTS),
    "minutes": ("docx", minutes.FACTS),
}


def goal_of(firm: Company) -> str:
    """The goal. It names the kinds of files and the facts, not the files."""
    facts = [f"- {kind}/*.{_ASKED[kind][0]}: {_ASKED[kind][1]}" for kind in firm.kinds]
    totals = ", ".join(f"`{SUMMED[kind]}`" for kind in firm.kinds)
    figures = ["- revenue.png: the revenue of each branch, the first word of the files in sales/"]

    if "invoices" in firm.kinds:
        figures.append("- invoices.png: the total of each supplier, the first word in invoices/")

    return f"""\
The folder holds {len(firm.papers)} files of a company. Read all of them and write the report \
report.md.

Facts wanted of each file:
{_lines(facts)}

The report has one table with the columns file | fact | value, and a row for each fact of each \
file: its path, the fact's name as above, and the value: amounts with two decimals (1234.50), days \
as YYYY-MM-DD, names as the file has them. Rows with `{ALL}` for the file give the sums over all \
files: {totals}, and `best branch`, the branch with the highest revenue. Leave out what you could \
not find.

Figures, as bar charts with one bar for each name, shown in the report as images:
{_lines(figures)}

Answer with the path of the report and its totals."""


def _lines(texts: list[str]) -> str:
    return "\n".join(texts)
