"""A key cannot be shown by accident."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import traceback
from typing import Any

import pytest
from pydantic import BaseModel
from rich.pretty import pretty_repr

from core.keys.secret import Secret

VALUE = "sk-ant-api03-secret-0123456789-xyz4"
SECRET = Secret(VALUE)


class Holder(BaseModel):
    key: Secret


@dataclasses.dataclass
class Record:
    key: Secret


SHOWN: dict[str, object] = {
    "repr": repr(SECRET),
    "str": str(SECRET),
    "format": f"{SECRET} {SECRET!r} {SECRET:>40}",
    "percent": "%s %r" % (SECRET, SECRET),  # noqa: UP031 - how logs format
    "list": repr([SECRET, {"key": SECRET}]),
    "dataclass": repr(Record(SECRET)),
    "asdict": repr(dataclasses.asdict(Record(SECRET))),
    "model": repr(Holder(key=SECRET)),
    "model dump": repr(Holder(key=SECRET).model_dump()),
    "model json": Holder(key=SECRET).model_dump_json(),
    "json by default": json.dumps({"key": SECRET}, default=str),
    "rich": pretty_repr({"key": SECRET}),
    "dir": repr([getattr(SECRET, name, None) for name in ("__dict__", "__doc__")]),
}


@pytest.mark.parametrize("way", SHOWN)
def test_whatever_shows_a_key_shows_a_mask(way: str) -> None:
    assert VALUE not in str(SHOWN[way])
    assert "secret-0123" not in str(SHOWN[way])


def test_json_refuses_a_key() -> None:
    with pytest.raises(TypeError):
        json.dumps({"key": SECRET})


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_key_is_never_pickled(protocol: int) -> None:
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps({"key": SECRET}, protocol)


def test_a_copy_is_the_same_key() -> None:
    assert copy.copy(SECRET) is SECRET
    assert copy.deepcopy([SECRET])[0] is SECRET


def test_keys_are_equal_by_value_and_hash_alike() -> None:
    assert Secret(VALUE) == SECRET
    assert {SECRET: 1}[Secret(VALUE)] == 1
    assert Secret("another") != SECRET
    other: Any = VALUE
    assert other != SECRET


def test_a_model_reads_a_key_from_text() -> None:
    assert Holder.model_validate({"key": VALUE}).key.reveal() == VALUE
    with pytest.raises(ValueError, match="a key is text"):
        Holder.model_validate({"key": 12})


@pytest.mark.parametrize(("value", "masked"), [(VALUE, "••••xyz4"), ("short", "••••"), ("", "••••")])
def test_people_see_the_end_of_a_long_key_only(value: str, masked: str) -> None:
    assert Secret(value).masked == masked


def test_a_traceback_and_a_log_line_with_a_key_have_none(caplog: pytest.LogCaptureFixture) -> None:
    error = ValueError(f"cannot use {SECRET}")
    assert VALUE not in "".join(traceback.format_exception(error))
    logging.getLogger("probe").warning("key %s %r", SECRET, SECRET)
    assert VALUE not in caplog.text
