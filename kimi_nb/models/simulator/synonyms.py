"""Other names under which a file may have what was asked."""

from __future__ import annotations

__all__ = ["synonyms"]

_SYNONYMS: tuple[tuple[str, ...], ...] = (
    ("价格", "单价", "售价", "price", "cost"),
    ("票价", "ticket price", "price"),
    ("数量", "quantity", "qty", "amount", "count"),
    ("金额", "amount", "total"),
    ("年龄", "age"),
    ("城市", "city"),
    ("国家", "country"),
    ("姓名", "名字", "name"),
    ("名称", "name"),
    ("日期", "date"),
    ("销售额", "sales", "revenue"),
    ("收入", "income", "revenue"),
    ("利润", "profit"),
    ("分数", "得分", "成绩", "score"),
    ("评分", "rating"),
    ("工资", "薪水", "salary"),
    ("温度", "气温", "temperature", "temp"),
    ("人口", "population"),
    ("产品", "商品", "product"),
    ("类别", "category"),
    ("身高", "height"),
    ("体重", "重量", "weight"),
    ("版本", "版本号", "version", "release"),
    ("许可证", "许可", "协议", "licence", "license"),
    ("qty", "quantity"),
    ("quantity", "qty"),
    ("temp", "temperature"),
    ("temperature", "temp"),
    ("amt", "amount"),
    ("dept", "department"),
    ("department", "dept"),
    ("licence", "licences", "license", "licenses", "licensing"),
    ("直接依赖", "直接依赖项", "direct dependencies"),
    ("依赖", "依赖项", "dependencies", "direct dependencies", "requirements", "requires"),
    ("requirements", "dependencies", "direct dependencies"),
    ("requires", "dependencies", "direct dependencies"),
    ("depends", "dependencies", "direct dependencies"),
    ("模块", "模块数", "modules"),
    ("代码行数", "lines of code", "loc"),
    ("简介", "描述", "说明", "摘要", "summary", "description"),
    ("summary", "description"),
    ("description", "summary"),
    ("标题", "题目", "title"),
    ("作者", "author", "by"),
    ("开放时间", "营业时间", "opening hours", "hours"),
    ("电话", "phone", "telephone"),
    ("地址", "address"),
    ("邮箱", "email"),
    ("年份", "year"),
    ("状态", "status"),
)


def synonyms(name: str) -> tuple[str, ...]:
    """`name` and the other names under which a file may have it, `name` first."""
    low = name.casefold()

    for group in _SYNONYMS:
        if low == group[0] or (low in group and not low.isascii()):
            return (name, *(other for other in group if other != low))

    return (name,)
