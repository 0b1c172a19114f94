"""A page taken apart: elements, visible text, tables, ids, what it would load, and where it is ill-formed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"img", "input", "br", "meta", "link", "hr", "source"}
LOADING = {"img": "src", "script": "src", "link": "href", "iframe": "src", "image": "href", "object": "data"}


@dataclass
class Page:
    """What `html.parser` finds."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""
    faults: list[str] = field(default_factory=list)
    tables: dict[str, list[list[str]]] = field(default_factory=dict)

    @classmethod
    def parse(cls, html: str) -> Page:
        parser = _Parser()
        parser.feed(html)
        parser.close()
        page = parser.page
        page.faults += [f"<{tag}> is not closed" for tag in parser.open]
        ids = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
        page.faults += [f"id {name} stands twice" for name, many in ids.items() if many > 1]
        targets = [a["href"][1:] for _, a in page.elements if a.get("href", "").startswith("#")]
        page.faults += [f"#{name} leads nowhere" for name in targets if name not in ids and parser.whole]
        return page

    @classmethod
    def whole(cls, html: str, *words: str) -> Page:
        """A page that is well-formed, loads nothing, and has these words in its text."""
        page = cls.parse(html)
        assert not page.faults
        assert not page.loads
        assert [each for each in words if each not in page.text] == []
        return page

    def all(self, tag: str) -> list[dict[str, str]]:
        """Attributes of every such element."""
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def loads(self) -> list[str]:
        """Addresses that a browser would fetch from elsewhere."""
        found = [a[LOADING[tag]] for tag, a in self.elements if tag in LOADING and LOADING[tag] in a]
        return [address for address in found if not address.startswith(("data:", "#"))]


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.open: list[str] = []
        self.whole = False
        self._table: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.page.elements.append((tag, attributes))
        self.whole |= tag == "html"
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self._table = self.page.tables.setdefault(attributes.get("data-table", ""), [])
        elif tag == "tr":
            self._table.append([])
        elif tag in ("td", "th"):
            self._table[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.page.faults.append(f"</{tag}> closes {self.open[-1:]}")
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.page.text += data
        if {"td", "th"} & set(self.open):
            self._table[-1][-1] += " ".join(data.split()) if data.strip() else ""
