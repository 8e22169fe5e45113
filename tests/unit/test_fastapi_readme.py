"""The README of a project of the recipe `fastapi`."""

import re

import pytest
import yaml

from bot.generation.plan_views import phase_context
from bot.generation.rendering import render_files
from bot.planning.phases import derive_phases, find_phase
from bot.planning.recipe import load_recipe
from tests.unit.values import BLOG, read_plan, run_here

_FASTAPI = load_recipe("fastapi")


@pytest.mark.parametrize(("folder", "expected"), [(".", {}), ("back-end/api", {"working-directory": "back-end/api"})])
def test_the_workflow_that_it_shows_runs_where_the_project_is(folder: str, expected: dict[str, str]) -> None:
    plan = read_plan(BLOG).model_copy(update={"output_dir": folder})
    phase = find_phase(derive_phases(plan, _FASTAPI), "support")
    (readme,) = (path for path in phase.files if path.endswith("README.md"))

    text = render_files(run_here, _FASTAPI, {readme: phase.files[readme]}, phase_context(plan, phase))

    (shown,) = re.findall(r"```yaml\n(on: .*?)```", str(text[readme]), re.DOTALL)
    workflow = yaml.safe_load(shown)
    assert workflow.get("defaults", {}).get("run", {}) == expected
    assert [*workflow["jobs"]["test"]] == ["runs-on", "services", "steps"]
