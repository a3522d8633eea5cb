"""Phrases, English and Chinese, and the kind of token that each becomes.

The first pattern that matches wins, so longer phrases stand before shorter ones.
"""
# ruff: noqa: E501, ISC004 - a pattern is easier to read on one long line

from __future__ import annotations

from kimi_nb.models.simulator.asked import ASKED

__all__ = ["LEXICON"]

LEXICON: tuple[tuple[str, str, str], ...] = (
    (
        "conj",
        "",
        r"[-=]+>|[→–—|]|(?<=\s)[-/](?=\s)|(?<=[a-z])/(?=(?:max|min|mean|avg|average|median|sum|total|lowest|highest|smallest|largest)\b)",
    ),
    ("conj", "", r"\(\d{1,2}\)|(?<![\w.])\d{1,2}\)(?= )"),
    (
        "noise",
        "",
        r"\b(?:a |the |some )?(?:(?:bunch|couple|handful|pile|lots?)(?: of)?|(?:set|collection|group) of)\b|\bsome\b|\bseveral\b",
    ),
    (
        "word",
        "",
        r"(?-i:(?<=[a-z] )A)(?=\s+(?:for|in|per|from|under|and|or)\b|\s*[,.;?!\n]|$)"
        r"|(?:(?<=occurrences of )|(?<=mentions of )|(?<=often does )|(?<=times does )|(?<=often is )|(?<=the word )|(?<=count word ))(?!(?:the|a|an|each|every|all|word|string|it|they)\b)\w+",
    ),
    ("word", "", r"(?<=[为=])是(?=\s*(?:[的，。、]|$))|(?<=为 )是(?=\s*的)"),
    ("word", "", r"是否[^\W\d_的为是有]{1,6}"),
    (
        "noise",
        "",
        r"\b(?:paid|ordered|bought|booked|shipped|sent|delivered|written|born|located|working|based)(?= (?:by|with|in|at|from|to|using|under|on)\b)"
        r"|\bthe (?:word|string|term|phrase)(?= (?!counts?|frequenc)\w| +⟦)|\b(?:located|available|present|given)\b",
    ),
    (
        "noise",
        "",
        r"\bi mean\b|\bgo (?:over|through)\b|\bnote(?: down)?(?= the\b)|\bby (?:the way|name)\b|\bbtw\b|\bno idea\b|\bin (?:each|all) cases?\b",
    ),
    # The rows column, column max
    (
        "word",
        "",
        r"(?<=\bcolumn )[A-Za-z]\w*\b(?<!named)(?<!called)(?<!names)(?<!titled)(?<!headers)"
        r"|\b(?:rows?|counts?|max|min|sum|total|mean|average|numbers?|lines?|words?|sizes?|values?|names?"
        r"|entries|records?|files?|data|items?|top|links?|cells?|class|functions?|title|hours)(?= (?:column|field)\b)",
    ),
    (
        "overall",
        "",
        r"\b(?:overall|altogether|all together|in total|in all|all in all|(?<!be )combined(?! (?:table|into|in))|across(?: all)?|grand total|taken together)\b|\b(?:over|across|throughout)(?=\s*,|\s*$)"
        r"|总共|合计所有|加起来|全部加起来",
    ),
    (
        "rows",
        "",
        r"\b(?:how many |(?:number|count) of )?(?:data )?(?:lines|rows),? \(?(?:without|excluding|not counting|minus) (?:the )?header(?: line| row)?s?\)?",
    ),
    (
        "metric",
        "matching_lines",
        r"\b(?:how many|number of|count(?: of| the)?) lines (?:that )?(?:contain(?:s|ing)?|mention(?:s|ing)?|with|match(?:es|ing)?|hav(?:e|ing))\b|\blines with (?=⟦|(?-i:[A-Z]{2,}))|\blines (?:that )?(?:contain(?:s|ing)?|mention(?:s|ing)?|match(?:es|ing)?)\b|包含(?=[^，。]{1,30}的行数)",
    ),
    # What it says that it cannot do, before the words that it would misread.
    (
        "limit",
        "",
        r"\b(?:(?<!how many )(?<!number of )(?:times|multiplied|divided|minus(?! the header| header)|subtract\w*)|variance|percentiles?|quartiles?|quantiles?"
        r"|correlat\w+|regress\w*|histograms?|distributions? of|per (?!(?:files?|csvs?|sheets?|tables?|spreadsheets?|documents?|notes?|notebooks?|packages?|items?|scripts?|modules?|pages?|folder|one|each)\b)[a-z]\w*"
        r"|grouped? by|group(?:ed)?\b|by (?:city|month|year"
        r"|category|country)|percentages?|share of|proportion|trends?|plots?|charts?|graphs?"
        r"|explain|translat\w+|why|predict\w*|outliers?|weighted|growth"
        r"|differences?|(?:\d+|two|three|four|five|ten) (?:most|least) expensive|(?:\d+|two|three|four|five|ten) (?:cheapest|oldest|youngest)|ratios?"
        r"|cumulative|running total|sort(?:ed)?(?: by)?|rank(?:ed|ing)?(?: by)?|order(?:ed)? by"
        r"|descending|ascending|round(?:ed)?|excluding|except|without counting|ignoring)\b",
    ),
    (
        "limit",
        "",
        r"方差|百分位|占比|百分比|比例|趋势|画图|图表|分组|按(?!.{0,8}(?:文件|表|每个|各个))[^，。]{1,6}分|按?(?:降序|升序|从大到小|从小到大)(?:排列|排序)?|总结|解释|翻译|为什么"
        r"|预测|排序|排名|相关性|除了|不包括|排除",
    ),
    # Filters
    ("sign", "<", r"\b(?:is |are )?negative\b|为负"),
    ("sign", ">", r"\b(?:is |are )?positive\b|为正"),
    ("between", "", r"\bbetween\b|介于"),
    ("filled", "", r"\b(?:(?:is|are) )?(?:not|non)[- ]?(?:empty|blank|missing|null)\b|不为空|非空"),
    (
        "blank",
        "",
        r"\b(?:have|has|having|with) (?:no|missing|an empty|empty|a missing|a blank|blank)\b|\black(?:s|ing)?\b|\bwithout (?:an? |any )?",
    ),
    ("blank", "", r"\b(?:(?:is|are|was|were) )?(?:empty|blank|missing|null|nan)\b|为空|缺失|空白"),
    (
        "cmp",
        "!=",
        r"\b(?:is|are|does|do|was) not(?: equal(?: to)?)?\b|\bisn'?t\b|\baren'?t\b"
        r"|\bother than\b|!=|<>|≠|不等于|不是|不为",
    ),
    (
        "cmp",
        ">=",
        r">=|≥|\b(?:is |are )?(?:at least|no less than|not less than|not below"
        r"|greater than or equal to|from)\b(?= *[\d$€£¥])|大于等于|大于或等于|不低于|不小于|不少于|不早于|至少(?:为|是)?",
    ),
    (
        "cmp",
        "<=",
        r"<=|≤|\b(?:is |are )?(?:at most|no more than|not more than|not above"
        r"|less than or equal to|up to)\b|小于等于|小于或等于|不超过|不高于|不多于|不晚于|不大于|至多|最多为",
    ),
    (
        "cmp",
        ">",
        r">|\b(?:is |are |was )?(?:over|above|more than|greater than|larger than"
        r"|higher than|bigger than|older than|longer than|taller than|heavier than|more expensive than|exceed(?:s|ing)?|after|later than)\b"
        r"|大于|超过|高于|多于|晚于",
    ),
    (
        "cmp",
        "<",
        r"<|\b(?:is |are |was )?(?:below|less than|smaller than|lower than|fewer than"
        r"|younger than|cheaper than|shorter than|lighter than|less expensive than|before|earlier than)\b|\bunder(?= *[\d$€£¥])|小于|低于|少于|早于",
    ),
    (
        "cmp",
        "contains",
        r"\b(?:contain(?:s|ing)?(?= (?:the |an? )?(?-i:['\"`⟦A-Z0-9]))|includ(?:es|ing)(?= ['\"`⟦]))\b|包含|含有",
    ),
    ("cmp", "starts", r"\b(?:start(?:s|ing)? with|begin(?:s|ning)? with)\b|以(?=.{1,20}开头)"),
    ("cmp", "=", r"\b(?:is equal to|equals?(?: to)?|equal to)\b|==?|等于"),
    (
        "only",
        "",
        r"\b(?:(?:count(?:ing)?|consider(?:ing)?|us(?:e|ing)|tak(?:e|ing)|look(?:ing)? at) )"
        r"?only\b|\bjust (?=the rows|rows|those)|\bamong\b|只(?:看|算|统计|考虑)?|仅",
    ),
    ("or", "", r"\bor\b|或者?"),
    *ASKED,
    ("which", "", r"\bwhich\b|\bwhose name\b|哪(?:个|一个|种|家|位)"),
    (
        "where",
        "",
        r"\b(?:where|whose|for which|in which|such that|with(?: an?)?|having|that (?:have|has|are)"
        r"|who (?:are|have|live in)|if|when(?:ever)?|which (?:has|have|are))\b|其中|满足",
    ),
    ("is", "", r"\b(?:is|are|was|were|be)\b|是|为|在"),
    # Joints and filling
    (
        "conj",
        "",
        r"\b(?:and also|and|as well as|plus|also|along with|together with|but|additionally|then)\b"
        r"|[,;&+、，；]|(?<![饱总之])和|以及|还有|(?<!参)与(?!否)|(?<![以涉普不否])及(?![格时其])|并且?|还要|另外|同时",
    ),
    (
        "of",
        "",
        r"\b(?:of|in|for|from|under|below|per|among|within|inside|on|at|by)\b|'s\b|’s\b|s'(?= )|的|里|内",
    ),
    (
        "stop",
        "",
        r"(?<!\bDr)(?<!\bMr)(?<!\bMs)(?<!\bMrs)(?<!\bSt)(?<!\bNo)[.?!。？！]+(?=\s|$|[^\d])|\n+|:|：",
    ),
    ("noise", "", r"(?<=\w)['’](?:d|ll|re|ve|m)\b"),
    (
        "noise",
        "",
        r"\b(?:the|a|an|give|gives?|me|us|my|your|our|please|what|what's|whats|what’s|find|out|show|tell|list|get|report"
        r"|return|compute|calculate|determine|check|read|look(?: up| at)?|go through|each|every|all|any"
        r"|its|it|their|them|they|there|that|this|these|those|i|we|you|want|need|would|like|to|know"
        r"|can|could|do|does|did|has|have|had|file|files|value|values|columns? (?:named|called|titled)"
        r"|named|called|titled|columns?|fields?|entry|entries|so|just|with|how|much|well|too|both"
        r"|respectively|number|numbers|figure|figures|data|dataset|datasets|extract|collect|fetch|grab|pull|see|display|print|summari[sz]e|analy[sz]e|inspect|examine|retrieve|contains?|made|sold|live|lives|living|exists?|look|folders?|director(?:y|ies)|dir|please|kind of|so kind|provide|state(?= (?:the|how|its|their)\b)|name the|say"
        r"|for me|one|thanks|thank|thx|hi|hello|hey|dear|cheers|pls|plz|kindly|who|define[sd]?|declare[sd]?|showing|giving|listing|telling|reporting|ending|sitting|stored|lying|listed|wonder(?:ing)?|curious|help|also|got|get|table|tables|contents?|write|down|go|over|again|be|single|following|items?|"
        r"same|here|now|if possible|exactly|appears?|appearing|occurs?|occur|occurring|mentioned|found|used|compare|comparison|tabulate|use|using|as|about|info|information|details?|get)\b",
    ),
    ("literal", "", r"⟦\d+⟧"),
    (
        "number",
        "",
        r"[$€£¥]?-?\d{4}-\d{1,2}-\d{1,2}|[$€£¥]?-?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?%?",
    ),
    ("word", "", r"[^\W\d_\u3400-\u9fff][^\W\u3400-\u9fff]*(?:[-'’/][^\W\d_]\w*)*|_\w+"),
    ("han", "", r"[\u3400-\u9fff]"),
)
