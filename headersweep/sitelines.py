"""Where a key stands in a TOML text: tomllib gives values without positions, and a mistake needs its line.

Only texts that tomllib accepted come here, so this walks over keys, brackets and quotes and judges nothing.
"""

from __future__ import annotations

import re

KeyPath = tuple[str, ...]

_QUOTES = ('"""', "'''", '"', "'")
_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"[ \t]*")
_PLAIN = re.compile(r"[^\[\]{},#\"'\n]+")


def find_lines(text: str) -> dict[KeyPath, int]:
    """The line of every key and table, and of every item of a list as ``(*key, "0")``, counted from 1.

    The tables of ``[[name]]`` are the items of a list, too: ``(name, "0", key)``.
    """
    walk = _Walk(text)
    walk.statements()
    return walk.lines


def line_of(lines: dict[KeyPath, int], path: KeyPath) -> int:
    """The line of a key, or of the nearest thing around it that has one; else the first."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return 1


class _Walk:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self._last_items: dict[KeyPath, int] = {}
        self._counted = (0, 1)

    def statements(self) -> None:
        """Walk over the whole text: table headers and assignments."""
        table: KeyPath = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._assignment(table)
            self._skip(_BLANK)

    def _header(self) -> KeyPath:
        line = self._line()
        is_item = self._here("[[")
        while self._here("["):
            self.at += 1
        table = self._within(self._key(), is_item=is_item)
        self._note(table, line)
        if is_item:
            self._note(table[:-1], line)
        while self._here("]"):
            self.at += 1
        return table

    def _within(self, names: KeyPath, *, is_item: bool) -> KeyPath:
        """The path of a table: behind the name of a list stands the item that was begun last, or begins here."""
        path: KeyPath = ()
        for place, name in enumerate(names, start=1):
            path = (*path, name)
            if is_item and place == len(names):
                self._last_items[path] = self._last_items.get(path, -1) + 1
            if path in self._last_items:
                path = (*path, str(self._last_items[path]))
        return path

    def _assignment(self, table: KeyPath) -> None:
        line = self._line()
        path = table + self._key()
        for length in range(len(table) + 1, len(path) + 1):
            self._note(path[:length], line)
        self.at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _key(self) -> KeyPath:
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            start = self.at
            if self._here('"', "'"):
                self._quoted()
                parts.append(self.text[start + 1 : self.at - 1])
            else:
                self._skip(_BARE_KEY)
                parts.append(self.text[start : self.at])
            self._skip(_SPACE)
            if not self._here("."):
                return tuple(parts)
            self.at += 1

    def _value(self, path: KeyPath) -> None:
        """Walk to the end of a value, noting where the items of a list begin."""
        depth, item, item_noted = 0, 0, False
        is_list = self._here("[")
        while self.at < len(self.text):
            character = self.text[self.at]
            if character in "\n#" and depth == 0:
                return
            if character in " \t\r\n#":
                self._skip(_BLANK if depth else _SPACE)
                self.at += character == "\r" and not depth
                continue
            if is_list and depth == 1 and character not in ",]" and not item_noted:
                self._note((*path, str(item)), self._line())
                item_noted = True
            if character == "," and depth == 1:
                item, item_noted = item + 1, False
            depth += (character in "[{") - (character in "]}")
            self._token(character)

    def _token(self, character: str) -> None:
        if character in "\"'":
            self._quoted()
        elif character in "[]{},":
            self.at += 1
        else:
            self._skip(_PLAIN)

    def _quoted(self) -> None:
        quote = next(quote for quote in _QUOTES if self.text.startswith(quote, self.at))
        self.at += len(quote)
        while self.at < len(self.text) and not self.text.startswith(quote, self.at):
            self.at += 2 if quote[0] == '"' and self.text[self.at] == "\\" else 1
        self.at += len(quote)
        # A multi-line text may end with one or two quotes of its own.
        while len(quote) > 1 and self._here(quote[0]):
            self.at += 1

    def _note(self, path: KeyPath, line: int) -> None:
        self.lines.setdefault(path, line)

    def _line(self) -> int:
        """The line of where we stand; counts on from the last answer, so that a long file stays linear."""
        counted, line = self._counted
        line += self.text.count("\n", counted, self.at)
        self._counted = (self.at, line)
        return line

    def _here(self, *texts: str) -> bool:
        return self.text.startswith(texts, self.at)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        if match:
            self.at = match.end()
