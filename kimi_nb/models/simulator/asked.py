"""Phrases for what can be asked: numbers of things, metrics of text, aggregates."""
# ruff: noqa: E501, ISC004 - a pattern is easier to read on one long line

from __future__ import annotations

__all__ = ["ASKED"]

ASKED: tuple[tuple[str, str, str], ...] = (
    # Numbers of things
    (
        "rows",
        "",
        r"\b(?:(?:the )?(?:total )?(?:number|count|amount|num\.?|nr\.?|no\.?) of |# ?of )?(?:data )?"
        r"(?:rows?|records?|entries|observations|data lines|lines of data|data points)"
        r"(?: of data| counts?| numbers?)?\b",
    ),
    (
        "rows",
        "",
        r"\bhow many (?:data )?(?:rows|records|entries|observations|lines of data)\b"
        r"|\b(?:number|count) of (?:entries|observations|lines of data)\b|\bhow long\b(?= (?:is|are) (?:it|they)\b)",
    ),
    (
        "rows",
        "",
        r"(?<!不同的)(?<=的)(?:订单|学生|客户|员工|用户|产品|商品)(?:数量?|个数|数目)(?!的?[最大小平总])|(?:数据)?行的?(?:数量|数目|总数)|(?:数据)?(?:总)?行数|记录数(?:量)?|条数"
        r"|(?:有)?(?:多少|几)(?:行|条)(?:数据|记录)?|数据量",
    ),
    (
        "metric",
        "loc",
        r"\b(?:(?:number|count) of |how many )?(?:lines of code|code lines|loc|sloc)\b|代码行数|代码量",
    ),
    (
        "metric",
        "blank_lines",
        r"\b(?:(?:number|count) of |how many )?(?:blank|empty) lines\b|空行数?",
    ),
    (
        "metric",
        "lines",
        r"\b(?:(?:number|count) of )?(?:text )?lines?(?: counts?)?\b|\bhow many lines\b|文本行数",
    ),
    (
        "metric",
        "words",
        r"\b(?:(?:number|count) of )?words?(?: counts?)?\b(?! ['\"`⟦])"
        r"|\bhow many words\b|词数|单词数|字数|多少(?:个)?(?:字|词|单词)",
    ),
    (
        "metric",
        "chars",
        r"\b(?:(?:number|count) of )?(?:characters?|chars|letters)(?: counts?)?\b|字符数",
    ),
    (
        "metric",
        "bytes",
        r"\b(?:file ?sizes?|size in bytes|sizes?|(?:number of )?bytes|how (?:big|large))\b"
        r"|文件大小|字节数|大小",
    ),
    (
        "metric",
        "columns",
        r"\b(?:(?:number|count) of|how many) (?:columns|fields|variables)\b|列数|多少列",
    ),
    (
        "metric",
        "column_names",
        r"\b(?:names of (?:the )?columns|column (?:names?|headers?|titles)"
        r"|(?:the |its |their )?columns|header row)\b|列名|表头|有哪些列",
    ),
    (
        "metric",
        "headings",
        r"\b(?:(?:number|count) of|how many) (?:section |markdown )?(?:headings?"
        r"|headers?|sections?|titles)\b|标题(?:的)?(?:数量?|个数)|多少(?:个)?标题|heading count",
    ),
    (
        "metric",
        "first_heading",
        r"\b(?:first|top|main|top-level) (?:heading|header)s?\b|(?:第一个|首个|一级)标题",
    ),
    (
        "metric",
        "heading_list",
        r"\b(?:all )?(?:the |its |their )?(?:section |markdown )?(?:headings?"
        r"|headers|sections)\b|所有标题|标题列表|(?:各级|全部)标题|章节",
    ),
    (
        "metric",
        "function_names",
        r"\b(?:names? of (?:all )?(?:the |its )?|(?:which|what|list(?: of)?(?: all)?(?: the| its| their)?) )(?:functions?|methods?|defs?)\b|\b(?:function|method)s?[- ]names?\b|(?:哪些|什么)函数|函数名称?|函数列表",
    ),
    (
        "metric",
        "class_names",
        r"\b(?:names? of (?:all )?(?:the |its )?|(?:which|what|list(?: of)?(?: all)?(?: the| its| their)?) )class(?:es)?\b|\bclass[- ]names?\b|(?:哪些|什么)类|类名",
    ),
    (
        "metric",
        "functions",
        r"\b(?:(?:number|count) of |how many )?(?:functions?|methods?|defs?)"
        r"(?: definitions?| counts?)?\b|函数(?:的)?(?:数量?|个数)?",
    ),
    (
        "metric",
        "classes",
        r"\b(?:(?:number|count) of |how many )?class(?:es)?(?: definitions?"
        r"| counts?)?\b|(?<![种分人])类(?![型别似])(?:的)?(?:数量?|个数)?",
    ),
    (
        "metric",
        "imports",
        r"\b(?:(?:number|count) of |how many )?imports?(?: statements?)?\b|导入数",
    ),
    ("metric", "code_cells", r"\b(?:(?:number|count) of |how many )?code cells?\b|代码单元格?数?"),
    (
        "metric",
        "markdown_cells",
        r"\b(?:(?:number|count) of |how many )?(?:markdown|text) cells?\b",
    ),
    (
        "metric",
        "cells",
        r"\b(?:(?:number|count) of |how many )?cells?(?: counts?)?\b|单元格?(?:的)?(?:数量?|个数)?",
    ),
    ("metric", "links", r"\b(?:(?:number|count) of |how many )?(?:hyper)?links?\b|链接数?"),
    (
        "metric",
        "occurrences",
        r"\b(?:how (?:often|many times)|(?:number of |count )?(?:the )?"
        r"(?:occurrences?|mentions?|matches|appearances|hits|frequency)|(?:word )?frequency)\b|\bcount (?:the )?word(?= )"
        r"|\b(?:number of times|times)\b|出现(?:了)?(?:的)?(?:多少次|几次|次数)|提到(?:了)?(?:多少次|几次)|多少次|次数",
    ),
    (
        "distinct",
        "values",
        r"\b(?:what|which|list|show)(?: are)?(?: all)?(?: of)?(?: the)? (?:distinct|unique|different)(?: values?(?: of| in)?)?\b|有哪些不同的?|(?:有)?哪些(?:不同的?)?(?=[^，。列]{1,6}[，。？?]?$)",
    ),
    (
        "distinct",
        "",
        r"\b(?:(?:number|count) of |how many )?(?:distinct|unique|different)"
        r"(?: values?(?: of| in)?)?\b|(?:有)?(?:多少|几)种(?:不同的?)?|的?(?:种类|品种)(?:的)?(?:数量?|个数)|种数|不同的?|去重(?:后)?|唯一(?:的|值)?|不重复的?",
    ),
    # Aggregates
    (
        "agg",
        "nth",
        r"\b(?:second|third|fourth|fifth|2nd|3rd|4th|5th)[- ](?:highest|largest|biggest"
        r"|greatest|lowest|smallest|cheapest|most expensive)\b|第[二三四五](?:高|大|低|小)的?",
    ),
    (
        "agg",
        "top",
        r"\b(?:top|bottom) (?:\d+|two|three|five|ten)\b|\b(?:\d+|two|three|five|ten) "
        r"(?:highest|largest|biggest|lowest|smallest)\b|前[\d三五十]+(?:大|高|名|个)?",
    ),
    (
        "agg",
        "mode",
        r"\b(?:most (?:common|frequent)|commonest|mode of)(?: value(?: of| in)?)?\b|最常见的?|众数|出现最多的?",
    ),
    ("agg", "max price", r"\b(?:the )?(?:most expensive|dearest|priciest)\b|最贵的?"),
    ("agg", "min price", r"\b(?:the )?(?:cheapest|least expensive)\b|最便宜的?"),
    ("agg", "first", r"\b(?:the )?(?:very )?first (?=(?:and|or|date|day|\w*date|\w*day)\b)"),
    ("agg", "last", r"\b(?:the )?(?:very )?last (?=(?:and|or|date|day|\w*date|\w*day)\b)"),
    ("agg", "max age", r"\boldest\b|最年长的?|最老的?"),
    ("agg", "min age", r"\byoungest\b|最年轻的?"),
    (
        "agg",
        "max",
        r"\bbest(?= (?:\w+ )?(?:scores?|ratings?|grades?|marks?|points|results?)\b)|\b(?:maximum|maximal|max|highest|largest|biggest|greatest|peak|top(?!-level)|latest|newest|hottest|warmest"
        r"|tallest|heaviest|longest|(?:the )?most recent|upper bound)(?![a-z])(?: values?(?: (?:of|in|for)\b)?)?|\bthe most\b|最大值?|最高值?|最多的?|最晚的?"
        r"|最新的?|峰值",
    ),
    (
        "agg",
        "min",
        r"\bworst(?= (?:\w+ )?(?:scores?|ratings?|grades?|marks?|points|results?)\b)|\b(?:minimum|minimal|min|lowest|smallest|least|earliest|coldest|coolest|lightest|shortest|lower bound)(?![a-z])"
        r"(?: values?(?: (?:of|in|for)\b)?)?|\bthe fewest\b|最小值?|最低值?|最少的?|最早的?",
    ),
    (
        "agg",
        "mean",
        r"\b(?:arithmetic )?(?:mean|average|avg\.?|averages|means)(?: values?"
        r"(?: (?:of|in|for)\b)?)?(?=\W|$)|平均(?:值|数(?!量))?|均值",
    ),
    (
        "agg",
        "std",
        r"\b(?:sample )?(?:standard deviations?|std\.?(?: ?dev(?:iation)?)?|stdev|stddev)(?: of)?\b|标准差",
    ),
    ("agg", "median", r"\bmedians?(?: values?(?: of)?)?\b|中位数|中值"),
    ("agg", "range", r"\brange of\b|极差"),
    (
        "agg",
        "sum",
        r"\b(?:sum(?:s|med)?(?: up)?|total(?:(?-i: sum| amount| value))?s?|sum total|add up|adds up to)\b"
        r"|(?:一共|总共)(?=是?(?:有)?多少(?![行条个笔位名人份种]))|总和|求和|加总|合计|总计|之和|总额|总(?=[^\s，。、])",
    ),
    (
        "count",
        "",
        r"(?<![最均总大小高低少多])(?:(?:员工|学生|客户|顾客|用户|人员)?人数|天数|笔数|件数)(?!的?(?:最|总|平均|均|合计|求和|之和|中位|[大小高低多少][于过]|[不超至介等在]|[<>=≥≤]))",
    ),
    (
        "count",
        "",
        r"\b(?:how many|(?:the )?(?:total )?(?:number|count) of|count(?:ing)?(?: the| of| up)?|quantity of)\b"
        r"|(?:有)?多少(?:个|位|名|人|笔)?|的(?:数量|个数|数目)(?!的?(?:最|总|平均|均|合计|求和|之和|中位|标准差|[大小高低多少][于过]|[不超至介等在]|[<>=≥≤]))|(?<!平均)(?<!最大)(?<!最高)(?<!最小)(?<!最低)(?<!总)(?<!均)(?<!最多)(?<!最少)(?<!求)(?:(?<=[\u3400-\u9fff])数量|个数|数目)(?!的?(?:最|总|平均|均|合计|求和|之和|中位|标准差|[大小高低多少晚早][于过]|[不超至介等为是在列]|[<>=≥≤]))|几个",
    ),
    (
        "noise",
        "",
        r"请问|文件夹|目录|文件(?!大小|行)|统计(?:一下)?|针对|关于|以下|下列|这些|一共有?|是多少|是什么|有哪些|分别(?:是|为)?|请|帮我|帮忙|给我|给出|列出|告诉我|说明|查看|看看|找出|找到|提取|读取"
        r"|获取|显示|计算(?:一下)?|求出?|各自|按(?=[^，。]{0,8}(?:文件|表|每个|各个))|对于|对|每(?:一)?个|每(?:一)?份|各个?|所有|全部|的话|一下|文件里|文件中|当中|里面|以及它|它们?|其"
        r"|并且?(?=汇总|合并|列)|并汇总|最后|然后|汇总|整理|合并|做成|放(?:在|到|进)|一(?:张|个)(?:总|大)?表格?|成表格?|成|表格|结果|到|把|将|吧|呢|吗|了|中",
    ),
)
