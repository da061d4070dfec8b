"""What a notebook shows of a sandbox: its address, and its keys and IDs, to click on."""

from html import escape
from typing import Mapping

_CELL = "border:1px solid rgba(128,128,128,.4);padding:2px 8px;text-align:left"


def sandbox_html(facts: Mapping[str, str], api_key: str, ui_url: str) -> str:
    """Return a sandbox as HTML.

    The key is in it, behind a click: it opens nothing but this sandbox, which only programs of this computer reach.

    Args:
        facts: The address and the IDs, by their names.
        api_key: The key.
        ui_url: The URL of the page that shows the state; empty if there is none.

    Example:
        >>> from viam_sync.sandbox.notebook_view import sandbox_html
        >>> "<summary>show</summary>" in sandbox_html({"url": sandbox.url}, sandbox.api_key, "")
        True
    """
    address = ui_url.partition("?")[0]  # the rest is the token
    link = f'<a href="{escape(ui_url)}" target="_blank" rel="noreferrer">{escape(address)}</a>' if ui_url else ""
    key = f"<details><summary>show</summary><code>{escape(api_key)}</code></details>"
    cells = {name: f"<code>{escape(value)}</code>" for name, value in facts.items()}
    cells = {**cells, "api_key": key, "page": link or "none; <code>Sandbox(ui=True)</code> has one"}
    rows = "".join(
        f'<tr><th style="{_CELL}">{escape(name)}</th><td style="{_CELL}">{cell}</td></tr>'
        for name, cell in cells.items()
    )
    return f'<div>Sandbox</div><table style="border-collapse:collapse;color:inherit"><tbody>{rows}</tbody></table>'
