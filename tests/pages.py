"""A page of the documentation, done as it says in a copy of the project: files, changes, commands.

Fenced blocks say what to do: `file=` writes a file, `append=` adds to its end, `insert= after=` puts lines behind one,
`diff in=` changes lines, and `sh` runs each of its lines. A block that says anything else is the test's own business.
"""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hanbeon.settings import PROJECT

BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DONE = ("file", "append", "insert", "in")


@dataclass(frozen=True)
class Block:
    language: str
    target: str
    text: str

    def about(self, name: str) -> str | None:
        found = re.search(rf'\b{name}=(?:"([^"]*)"|(\S+))', self.target)
        return found and (found[1] or found[2])

    @property
    def is_done(self) -> bool:
        """Whether the block says a file and what becomes of it."""
        return any(map(self.about, DONE))


@dataclass(frozen=True)
class Place:
    """A copy of the project with a home of its own."""

    folder: Path
    home: Path
    environment: dict[str, str]

    def run(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-ec", command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=1800,
        )
        assert done.returncode == 0, (command, done.stdout[-3_000:], done.stderr[-3_000:])
        return done.stdout

    def follow(self, page: list[Block]) -> str:
        """Do what the page says, in its order; what its last command printed."""
        said = ""
        for block in page:
            if block.language == "sh":
                for command in block.text.splitlines():
                    said = self.run(command)
            elif block.is_done:
                put(self.folder, block)
        return said


def blocks(page: str) -> list[Block]:
    text = (PROJECT / "docs" / page).read_text(encoding="utf-8")
    return [Block(*found) for found in BLOCK.findall(text)]


def put(copy: Path, block: Block) -> None:
    """Write, append, insert or change what a block says."""
    path, grown, into, changed = map(block.about, DONE)
    target = copy / str(path or grown or into or changed)
    if path:
        assert not target.exists(), path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(block.text, encoding="utf-8")
        return
    text = target.read_text(encoding="utf-8")
    if grown:
        text += block.text
    elif into:
        after = f"{block.about('after')}\n"
        assert text.count(after) == 1, after
        text = text.replace(after, after + block.text)
    else:
        for hunk in re.split(r"(?m)^@@.*\n", block.text):
            text = _changed(text, hunk)
    target.write_text(text, encoding="utf-8")


def _changed(text: str, hunk: str) -> str:
    """Lines with `-` go, lines with `+` come, the others stay; what was there must be there just once."""
    lines = hunk.splitlines()
    before = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "+")
    after = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "-")
    assert text.count(before) == 1, before
    return text.replace(before, after)


def copy_project(copy: Path) -> None:
    """The files that git knows, in a repository of their own, with this project's environment."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=True).stdout
    for name in filter(None, files.decode().split("\0")):
        if (PROJECT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, copy / name)
    subprocess.run("git init -q && git add -A", shell=True, cwd=copy, check=True)
    (copy / ".venv").symlink_to(PROJECT / ".venv")
    if (PROJECT / ".mypy_cache").is_dir():  # else types are checked from nothing, which takes minutes
        shutil.copytree(PROJECT / ".mypy_cache", copy / ".mypy_cache")
