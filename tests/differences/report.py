"""The page of differences: which there are, how many, and why; the reasons are written by hand."""

import collections
import fnmatch
import re

ROW = re.compile(r"^\| (?P<upstream>[^|]*) \| (?P<side>[^|]*) \| `(?P<path>[^`]*)` \| (?P<count>\d+) \| (?P<why>.*) \|$")
UNSAID = "**unexplained**"


class Page:
    """The page as it is committed; `found` counts, `write` writes it again."""

    def __init__(self, file):
        self.file = file
        self.lines = file.read_text().splitlines()
        self.rows = [ROW.match(line) for line in self.lines]
        self.counts = collections.Counter()
        self.unexplained = collections.Counter()
        self.examples = {}

    def found(self, upstream, side, path, example):
        """One difference: which side of which upstream has what."""
        plain = re.sub(r"\[\d+\]", "[]", path)
        for number, row in enumerate(self.rows):
            if row and self.is_in(row, upstream, side, plain):
                self.counts[number] += 1
                return
        self.unexplained[upstream, side, plain] += 1
        self.examples.setdefault((upstream, side, plain), example)

    @staticmethod
    def is_in(row, upstream, side, path):
        upstreams = [name.strip() for name in row["upstream"].split(",")]
        known = upstreams == ["all"] or upstream in upstreams
        pattern = row["path"].replace("[]", "[[]]")
        return known and fnmatch.fnmatchcase(side, row["side"].strip()) and fnmatch.fnmatchcase(path, pattern)

    def stale(self):
        """Rows of which there are no differences any more."""
        return [row["path"] for number, row in enumerate(self.rows) if row and not self.counts[number]]

    def write(self, head):
        """With the counts of this run; what is unexplained stands last."""
        lines = []
        for number, (line, row) in enumerate(zip(self.lines, self.rows)):
            if row:
                line = f"| {row['upstream']} | {row['side']} | `{row['path']}` | {self.counts[number]} | {row['why']} |"
            lines.append(head if line.startswith("Compared: ") else line)
        for (upstream, side, path), count in sorted(self.unexplained.items()):
            lines.append(f"| {upstream} | {side} | `{path}` | {count} | {UNSAID} |")
        self.file.write_text("\n".join(lines) + "\n")
