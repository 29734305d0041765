"""Who calls in the place of one who has left."""

from types import SimpleNamespace

import numpy as np
import pytest

from demo import churn


def home(has_left: list[bool], quiet: list[int]) -> churn._Home:
    made = object.__new__(churn._Home)
    made.world = SimpleNamespace(subscribers=SimpleNamespace(branch=np.array([0, 0, 1])))
    made.has_left, made.quiet, made.successor = np.array(has_left), quiet, {}
    return made


def test_a_quiet_neighbour_of_the_branch_calls_instead():
    assert home([True, False, False], [2, 1]).stand_in(0) == 1


def test_more_contacts_than_the_subscribers_can_have_are_refused_by_name():
    with pytest.raises(ValueError, match=r"too many contacts for 3 subscribers: .*; ask for fewer days or contacts"):
        home([True, True, False], [2, 1]).stand_in(0)
