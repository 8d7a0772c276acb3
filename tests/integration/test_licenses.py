"""Licences of installed packages: in the environment of the test stage, or in a new one."""

PYPROJECT = """
[project]
name = "sample"
version = "0"
requires-python = ">=3.9"
license = "LicenseRef-Ours"
dependencies = ["iniconfig==2.1.0"]
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[tool.hatch.build.targets.wheel]
packages = ["pkg"]
"""
FILES = {"pyproject.toml": PYPROJECT, "pkg/__init__.py": "", "test_a.py": "def test_a():\n    import pkg\n"}


def test_what_the_project_needs_is_judged_and_what_we_bring_is_not(project, ci_action, tmp_path):
    words = (f"--cache-dir={tmp_path / 'cache'}", "--fail-on=high")
    folder = project(FILES)  # no word here about the scanners of the stage: one of them needs a network
    ran = ci_action(folder, "run", "test", "security", *words, "--licenses-allow=ISC")
    licenses = ran.tool("licenses")
    assert (licenses["outcome"], licenses["examined"]["packages"]) == ("report", 1)
    (one,) = ran.findings("licenses")
    assert (one["rule"], one["severity"], one["level"]) == ("license-not-allowed", "high", "error")
    assert one["message"].startswith("iniconfig 2.1.0 is licensed under MIT")

    # Alone it takes the environment that the test stage has left.
    ran = ci_action(folder, "run", "security", *words, "--licenses-allow=MIT")
    assert (ran.tool("licenses")["outcome"], ran.tool("licenses")["examined"]["packages"]) == ("report", 1)
    assert ran.findings("licenses") == []
    assert len(list((tmp_path / "cache" / "environments").iterdir())) == 1
