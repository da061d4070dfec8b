"""The names that the generator makes up."""

import doctest

import pytest

from . import mini_schemas  # noqa: F401 (finds the bench, or skips)

import names  # isort: skip


def test_the_examples_in_the_docstrings_hold():
    done = doctest.testmod(names)
    assert (done.failed, done.attempted > 0) == (0, True)


@pytest.mark.parametrize(
    ("rpc", "method"),
    [
        ("GetRobotPart", "get_robot_part"),
        ("ListOAuthApps", "list_o_auth_apps"),
        ("TabularDataByMQL", "tabular_data_by_mql"),
        ("BinaryDataByIDs", "binary_data_by_ids"),
        ("AddIDsToSet", "add_ids_to_set"),
        ("Export2D", "export2_d"),
    ],
)
def test_a_method_is_named_after_its_rpc(rpc, method):
    assert names.snake(rpc) == method
