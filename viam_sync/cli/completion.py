"""``completion``: what a shell needs to complete the words of a command line."""

from __future__ import annotations

import os
from typing import List, Tuple

import click
from click.shell_completion import CompletionItem, ShellComplete, add_completion_class, get_completion_class

from viam_sync.cli.frame import FramedCommand

_POWERSHELL = """\
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($word, $line, $position)
    $env:%(complete_var)s = "powershell_complete"
    $env:COMP_WORDS = ($line.CommandElements | ForEach-Object { $_.Extent.Text }) -join "`n"
    $env:COMP_WORD = $word
    try {
        %(prog_name)s | ForEach-Object {
            $name, $help = $_ -split "`t", 2
            $text = if ($help) { $help } else { $name }
            [System.Management.Automation.CompletionResult]::new($name, $name, "ParameterValue", $text)
        }
    }
    finally {
        Remove-Item Env:%(complete_var)s, Env:COMP_WORDS, Env:COMP_WORD
    }
}
"""


@add_completion_class
class PowerShellComplete(ShellComplete):
    """Completion for PowerShell, which click has none for."""

    name = "powershell"
    source_template = _POWERSHELL

    def get_completion_args(self) -> Tuple[List[str], str]:
        """Return the words before the one that is completed, and that."""
        words = os.environ.get("COMP_WORDS", "").split("\n")[1:]
        word = os.environ.get("COMP_WORD", "")
        return (words[:-1] if word and words and words[-1] == word else words), word

    def format_completion(self, item: CompletionItem) -> str:
        """Return an item as a line."""
        return f"{item.value}\t{item.help or ''}"


_SHELLS = ("bash", "zsh", "fish", "powershell")
_EPILOG = """\
\b
In the file of each shell:
  bash        eval "$(viam-sync completion bash)"
  zsh         eval "$(viam-sync completion zsh)"
  fish        viam-sync completion fish | source
  powershell  viam-sync completion powershell | Out-String | Invoke-Expression
"""


@click.command("completion", cls=FramedCommand, epilog=_EPILOG)
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion_command(context: click.Context, shell: str) -> None:
    """Print what lets a shell complete words.

    It goes into the file that the shell begins with.
    """
    cls = get_completion_class(shell)
    assert cls is not None
    print(cls(context.find_root().command, {}, "viam-sync", "_VIAM_SYNC_COMPLETE").source())
