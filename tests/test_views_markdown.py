"""The Markdown of answers as HTML."""

from __future__ import annotations

from kimi_nb.views.markdown import markdown_html


def test_a_pipe_table_becomes_a_table() -> None:
    html = markdown_html("| name | n |\n|:--|--:|\n| a\\|b | 1 |\n| c | 2 | 3 |\n| d |\n\nafter")
    assert html == (
        '<table><thead><tr><th scope="col" style="text-align:left">name</th>'
        '<th scope="col" style="text-align:right">n</th></tr></thead><tbody>'
        '<tr><td style="text-align:left">a|b</td><td style="text-align:right">1</td></tr>'
        '<tr><td style="text-align:left">c</td><td style="text-align:right">2</td></tr>'
        '<tr><td style="text-align:left">d</td><td style="text-align:right"></td></tr>'
        "</tbody></table>\n<p>after</p>"
    )


def test_a_table_needs_no_outer_pipes_and_ends_a_paragraph() -> None:
    html = markdown_html("Found:\na | b\n--|--\n1 | 2")
    assert html.startswith("<p>Found:</p>\n<table>")
    assert html.count("<td") == 2


def test_a_pipe_without_a_rule_is_text() -> None:
    assert markdown_html("a | b\nc | d") == "<p>a | b<br>c | d</p>"


def test_headings_lists_code_and_bold() -> None:
    text = "# Top\n- one\n- **two**\n\n1. first\n2) second\n\n```python\nif a < b: **c**\n```"
    assert markdown_html(text) == (
        "<h3>Top</h3>\n<ul><li>one</li><li><strong>two</strong></li></ul>\n"
        "<ol><li>first</li><li>second</li></ol>\n<pre>if a &lt; b: **c**</pre>"
    )


def test_inline_code_is_not_bold_and_links_stay_text() -> None:
    assert markdown_html("`**a**` and [x](javascript:y) 2 ** 3 ** 4") == (
        "<p><code>**a**</code> and [x](javascript:y) 2 ** 3 ** 4</p>"
    )


def test_a_line_break_in_a_cell_is_a_line_break() -> None:
    assert "one<br>two" in markdown_html("| a |\n|---|\n| one<br>two |")


def test_an_open_fence_takes_the_rest() -> None:
    assert markdown_html("```\nrest") == "<pre>rest</pre>"


def test_emphasis_spares_names_with_underscores_and_never_misnests() -> None:
    assert markdown_html("_Set MOONSHOT_API_KEY._ a_b_c") == (
        "<p><em>Set MOONSHOT_API_KEY.</em> a_b_c</p>"
    )
    assert markdown_html("**a _b** c_") == "<p><strong>a _b</strong> c_</p>"


def test_numbers_stand_to_the_right_where_the_table_does_not_say_otherwise() -> None:
    rows = "| a | 84 | 1,204.5 | 1 |\n| b | 9 |  | 2 |"
    html = markdown_html(f"| file | rows | top | left |\n|---|---|---|:--|\n{rows}")
    head = html[: html.index("<tbody>")]
    assert [part.split('"')[0] for part in head.split("text-align:")[1:]] == [
        "left",
        "right",
        "right",
        "left",
    ]
    assert "right" not in markdown_html("| a |\n|---|\n| 3 of 4 |\n| 5 |")
