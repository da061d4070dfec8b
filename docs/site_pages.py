"""The pages of the site that are made of other files, and where links to those lead; MkDocs calls the hooks, on_*."""

import ast
import posixpath
import re
from pathlib import Path
from typing import Any, Dict, List

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
LESSONS = sorted(path for path in EXAMPLES.glob("[0-9][0-9]_*.py") if not path.stem.endswith("_solution"))

#: Where a file of the repository is on the site.
PLACES: Dict[str, str] = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "README.md": "index.md",
    **{f"examples/{lesson.name}": f"lessons/{lesson.stem}.md" for lesson in LESSONS},
}

#: How much less a match on these pages of the reference counts in the search.
RANKS = {"viam_sync.proto": 0.1, "viam_sync.rpc.dial": 0.6}

_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the lessons, and the modules of the reference, below their heads in the menu."""
    modules = sorted(path.stem for path in (ROOT / "docs" / "reference").glob("viam_sync*.md"))
    heads: Dict[str, List[Any]] = {title: pages for entry in config.nav or [] for title, pages in entry.items()}
    heads["Lessons"] += [PLACES[f"examples/{lesson.name}"] for lesson in LESSONS]
    heads["Reference"] += [f"reference/{module}.md" for module in modules]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the lessons, the pages beside the README, and the files of examples that pages lead to."""
    for lesson in LESSONS:
        files.append(File.generated(config, PLACES[f"examples/{lesson.name}"], content=lesson_page(lesson)))
    for name in ("CHANGELOG.md", "CONTRIBUTING.md"):
        text = moved((ROOT / name).read_text(encoding="utf-8"), "", "")
        files.append(File.generated(config, PLACES[name], content=text))
    for path in sorted(EXAMPLES.rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in (".py", ".ipynb"):
            files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead the links of a page that leave docs/ to where their targets are on the site; rank it in the search."""
    folder, name = posixpath.split(page.file.src_uri)
    page.meta["search"] = {"boost": next((RANKS[module] for module in RANKS if name.startswith(module)), 1)}
    return markdown if page.file.generated_by else moved(markdown, posixpath.join("docs", folder), folder)


def moved(markdown: str, folder: str, to: str) -> str:
    """Return a page of a folder of the repository with its links as they are in a folder of the site."""

    def link(found: "re.Match[str]") -> str:
        target = posixpath.normpath(posixpath.join(folder, found[1]))
        place = PLACES.get(target, target[len("docs/") :] if target.startswith("docs/") else target)
        return f"]({posixpath.relpath(place, to or '.')}"

    return _LINK.sub(link, markdown)


def lesson_page(lesson: Path) -> str:
    """Return the page of a lesson: its text, its code, and its solution, which is folded."""
    source = lesson.read_text(encoding="utf-8")
    text = ast.get_docstring(ast.parse(source)) or ""
    (number, title), rest = re.findall(r"Lesson (\d+): (.*)\.\n", text)[0], text.partition("\n\n")[2]
    code = source.split('"""', 2)[2].strip()
    solution = lesson.with_name(f"{lesson.stem}_solution.py").read_text(encoding="utf-8").split('"""', 2)[2].strip()
    folded = "\n".join(f"    {line}".rstrip() for line in f"```python\n{solution}\n```".splitlines())
    return f"""\
# {number}. {title[0].upper()}{title[1:]}

{rest}

```python title="{lesson.name}"
{code}
```

It runs as it is. `viam-sync lessons copy {number}` puts it into your folder, and `viam-sync lessons check {number}`
tells whether the exercise is right.

??? success "A solution"

{folded}
"""
