"""Tables ``[[occupation.groups]]``: moments of groups of energies whose numbers stand in the specification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from pairsweep.contract.errors import SpecError
from pairsweep.contract.fields import Field, Parameter
from pairsweep.physics.patterns.base import Pattern
from pairsweep.physics.patterns.groups import CLOSURE, NUMBERS, OF_A_GROUP, moments_of_groups
from pairsweep.spec.checks import known_keys, missing, name_of, parameters_of, values_of
from pairsweep.spec.schema import CELLS, MOMENTS

GROUPS = "groups"
PLACE = f"occupation.{GROUPS}"


class Groups(NamedTuple):
    """Moments of groups: their pattern, the edges of the groups (MeV), and the values."""

    pattern: Pattern
    edges: tuple[float, ...]
    parameters: tuple[Parameter, ...]


def read_groups(data: Mapping[str, Any]) -> Groups:
    """Read the table [occupation] of the pattern ``moments`` with groups.

    Raises
    ------
    SpecError
        For edges that do not rise or are not one more than the groups, and for a group without its moments.
    """
    known_keys("occupation", data, ("pattern", "energy_edges", GROUPS, CLOSURE.name))
    groups = data[GROUPS]
    if not isinstance(groups, list) or not groups or not all(isinstance(group, Mapping) for group in groups):
        raise SpecError(PLACE, groups, "add a table [[occupation.groups]] for every group")
    edges = _edges(data, len(groups))
    fields = {field.name: field for field in OF_A_GROUP}
    names: list[str] = []
    parameters: list[Parameter] = []
    for number, group in enumerate(groups):
        place = f"{PLACE}[{number}]"
        known_keys(place, group, ("name", *fields))
        name = name_of("group", place, group, names)
        if name == "bar" or name.startswith("bar_"):
            raise SpecError(f"{place}.name", name, "mean_occupation_bar is of antineutrinos: choose another")
        names.append(name)
        for key, value in group.items():
            if key != "name":
                values, is_axis = values_of(f"{place}.{key}", value, fields[key])
                parameters.append(Parameter(f"{key}_{name}", "occupation", fields[key], values, is_axis))
        _check_group(place, group, fields)
    pattern = Field("pattern", "text", "occupation pattern", choices=(MOMENTS,))
    closure = {key: data[key] for key in (CLOSURE.name,) if key in data}
    return Groups(
        moments_of_groups(tuple(names), edges),
        edges,
        (
            Parameter("pattern", "occupation", pattern, (MOMENTS,), False),
            *parameters,
            *parameters_of("occupation", closure, (CLOSURE,)),
        ),
    )


def _edges(data: Mapping[str, Any], groups: int) -> tuple[float, ...]:
    """Edges of the groups, MeV."""
    place, field = (
        "occupation.energy_edges",
        replace(CELLS["energy_edges"], meaning="edges of the groups, one more"),
    )
    if "energy_edges" not in data:
        raise missing("occupation", field)
    values, is_list = values_of(place, data["energy_edges"], field)
    if not is_list or len(values) != groups + 1:
        raise SpecError(
            place, data["energy_edges"], f"give {groups + 1} edges of the {groups} groups, rising"
        )
    falling = np.flatnonzero(np.diff(np.array(values, dtype=np.float64)) <= 0)
    if falling.size:
        raise SpecError(
            f"{place}[{falling[0] + 1}]", values[falling[0] + 1], "does not lie above the one before it"
        )
    return tuple(float(value) for value in values)


def _check_group(place: str, group: Mapping[str, Any], fields: Mapping[str, Field]) -> None:
    """Refuse a group whose moments are missing or given twice."""
    for mean, number in NUMBERS.items():
        if mean in group and number in group:
            raise SpecError(f"{place}.{number}", None, f"stands beside {mean}: give one of them")
    if not {"mean_occupation", "number_density"} & group.keys():
        raise SpecError(f"{place}.mean_occupation", None, "is missing: give it or number_density")
    if "flux_factor" not in group:
        raise missing(place, fields["flux_factor"])
