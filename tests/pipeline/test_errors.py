import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import errors
from pipeline.errors import ConfigError, IsothermError
from pipeline.naming import unknown

CLASSES = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, IsothermError)
]
BUILT_IN = (ValueError, LookupError, RuntimeError, OSError)
every_class = pytest.mark.parametrize("kind", CLASSES)
names = st.text("abcdefgh-", min_size=1, max_size=12)


@every_class
@given(
    message=st.text(),
    remedy=st.text(),
    fields=st.dictionaries(st.sampled_from(["path", "url", "errno", "check", "args"]), st.integers()),
)
def test_an_error_comes_through_pickling_whole(kind, message, remedy, fields):
    error = kind(message, remedy=remedy, **fields)
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind
    assert (back.message, back.remedy, back.fields, str(back)) == (message, remedy, fields, str(error))


@every_class
def test_an_error_says_what_and_what_to_do(kind):
    assert str(kind("the sea is gone")) == "the sea is gone"
    told = str(kind("the sea is gone", remedy="wait for the flood"))
    assert told.splitlines() == ["the sea is gone", "  → wait for the flood"]


@pytest.mark.parametrize("kind", [one for one in CLASSES if one is not IsothermError])
def test_every_error_is_the_built_in_that_fits(kind):
    assert issubclass(kind, BUILT_IN)


@given(known=st.sets(names, max_size=6), name=names)
def test_an_unknown_name_is_answered_with_all_that_are_known(known, name):
    error = unknown("model", name, known, ConfigError)
    assert isinstance(error, ConfigError)
    assert repr(name) in error.message
    assert error.fields["known"] == sorted(known)
    assert all(one in error.remedy for one in known)


def test_an_unknown_name_is_answered_with_the_nearest():
    error = unknown("model", "convlst", ["lstm", "convlstm"], ConfigError, where="bay.toml")
    assert error.message == "there is no model 'convlst' (bay.toml)"
    assert error.remedy == "did you mean 'convlstm'? known: convlstm, lstm"
    assert unknown("model", "qqq", [], ConfigError).remedy == "known: none"
