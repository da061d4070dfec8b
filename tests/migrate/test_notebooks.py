"""Notebooks: cells are migrated as one script, and all else stays byte by byte."""

import json

import pytest

from viam_sync.migrate.findings import Finding
from viam_sync.migrate.notebooks import joined_code, migrate_notebook
from viam_sync.migrate.refusal import Refusal

#: A notebook that no program has written: its formatting is odd on purpose.
NOTEBOOK = r"""{
 "cells": [
  {"cell_type": "markdown", "metadata": {}, "source": ["# viam caf\u00e9\n", "text"]},
  {
   "cell_type": "code", "execution_count": 3, "metadata": {"x": 1.0},
   "outputs": [ {"text": ["viam"]}],
   "source": [
    "%pip install -q \"viam-sdk[mlmodel]>=0.20\" pandas\n",
    "!ls -l \\\n",
    "  viam\n",
    "files = !ls viam\n",
    "if files:\n",
    "    !echo viam \u00e9\n",
    "viam = 'é'\n",
    "viam?"
   ]
  },
  {"cell_type": "code", "source": "%%bash\nviam", "metadata": {}},
    {"cell_type":"code","source":"%%time\n# viam\nviam\n","metadata":{}},
  {"cell_type": "code", "source": [], "metadata": {}}
 ],
 "metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5
}
"""


def shout(code):
    """Migrate a script: its names are loud then."""
    lines = [number for number, line in enumerate(code.split("\n"), 1) if line == "viam"]
    return code.replace("viam\n", "VIAM\n").replace("viam =", "VIAM ="), [Finding(each, "loud") for each in lines]


def test_only_code_changes_and_magics_stay():
    after, _ = migrate_notebook(NOTEBOOK, shout)
    expected = NOTEBOOK.replace('\\"viam-sdk[mlmodel]>=0.20\\" pandas', "viam-sync pandas")
    expected = expected.replace("viam = 'é'", "VIAM = 'é'").replace("# viam\\nviam\\n", "# VIAM\\nVIAM\\n")
    assert after == expected
    assert migrate_notebook(after, lambda code: (code, [])) == (after, [])


def test_findings_name_the_cell_and_the_line_in_it():
    assert migrate_notebook(NOTEBOOK, shout)[1] == [("cell 4:3", "loud")]


def test_findings_name_the_line_in_the_migrated_notebook_where_that_is_written():
    def shorten(code):
        return code.replace("# viam\n", ""), shout(code)[1]

    assert migrate_notebook(NOTEBOOK, shorten, writes=True)[1] == [("cell 4:2", "loud")]


def test_the_official_sdk_is_installed_beside_ours_while_something_needs_it():
    after, _ = migrate_notebook(NOTEBOOK, lambda code: (f"import viam\n{code}", []))
    assert '"%pip install -q \\"viam-sdk[mlmodel]>=0.20\\" viam-sync pandas\\n",' in after
    assert '"import viam\\n",\n    "%pip install' in after
    assert migrate_notebook(after, lambda code: (code, [])) == (after, [])


def test_lines_can_be_added_and_taken_out():
    text = '{"cells": [{"cell_type": "code", "source": ["a = 1\\n", "b = 2"]}]}'

    def cells(code):
        return json.loads(migrate_notebook(text, lambda _: (code, []))[0])["cells"]

    assert cells("") == [{"cell_type": "code", "source": []}]
    assert cells("c\n\nd\n")[0]["source"] == ["c\n", "\n", "d\n"]
    assert migrate_notebook(text, lambda _: ("é", []))[0] == text.replace('"a = 1\\n", "b = 2"', '"\\u00e9"')


@pytest.mark.parametrize("command", ["%pip install", "!python -m pip install -q", "pip install", "%conda install"])
def test_ours_is_installed_wherever_the_command_stands(command):
    cell = {"cell_type": "code", "source": f"print('before')\nif True:\n    {command} viam-sdk==0.85.1\nprint('after')"}
    text = json.dumps({"cells": [cell]})
    after, _ = migrate_notebook(text, lambda code: (code, []))
    assert after == text.replace("viam-sdk==0.85.1", "viam-sync")


def test_a_notebook_in_another_language_stays():
    text = NOTEBOOK.replace('"python"', '"julia"')
    assert migrate_notebook(text, shout) == (text, [])


@pytest.mark.parametrize("metadata", ['"none"', "[]", '{"kernelspec": null}', '{"language_info": {"name": null}}'])
def test_a_notebook_that_does_not_say_its_language_is_taken_for_python(metadata):
    text = f'{{"cells": [{{"cell_type": "code", "source": "viam\\n"}}], "metadata": {metadata}}}'
    assert migrate_notebook(text, shout)[0] == text.replace('"viam', '"VIAM')


def test_the_python_behind_a_magic_that_times_it_is_migrated():
    text = '{"cells": [{"cell_type": "code", "source": "%timeit -n 1 -r 3 x = viam\\n%prun\\n%time !ls"}]}'
    code = joined_code(text)
    assert [line.partition("; ")[2] for line in code.split("\n")] == ["x = viam", "", ""]
    after, _ = migrate_notebook(text, lambda code: (code.replace("= viam", "= VIAM"), []))
    assert after == text.replace("= viam", "= VIAM")


def test_a_cell_that_becomes_a_file_is_left_to_a_person():
    text = NOTEBOOK.replace("%%bash\\nviam", "%%writefile a.py\\nimport viam")
    after, left = migrate_notebook(text, lambda code: (code, []))
    assert '%%writefile a.py\\nimport viam"' in after
    assert left == [("cell 3:1", "a cell of `%%writefile` stays as it is")]


@pytest.mark.parametrize(
    ("text", "where", "reason"),
    [
        ('{\n"cells": [}', "2", "this is no JSON"),
        ("[]", "", "this is no notebook of the version 4"),
        ('{"worksheets": []}', "", "this is no notebook of the version 4"),
        ('{"cells": [1]}', "", "a list of cells with their sources"),
        ('{"cells": [{"cell_type": "code"}]}', "", "a list of cells with their sources"),
        ('{"cells": [{"cell_type": "code", "source": [1]}]}', "", "a list of cells with their sources"),
        ('{"cells": [{"cell_type": "code", "source": "%%time\\nx = 1\\nprint x"}]}', "cell 1:3", "not valid Python"),
    ],
)
def test_what_is_no_valid_notebook_is_refused_by_its_place(text, where, reason):
    with pytest.raises(Refusal, match=reason) as caught:
        migrate_notebook(text, shout)
    assert caught.value.where == where
