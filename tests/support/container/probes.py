"""A project whose code tries what it must not be able to do: each of its tests passes if that fails."""

from typing import Final

from support.container import projects

# What could be taken: shared by the tests and by the build of the package.
_REACH: Final = """
import os, pathlib, socket


def taken():
    found = []
    ours = {1, *(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("PPid"))}
    ours = {pid for pid in ours if os.stat(f"/proc/{pid}").st_uid != os.getuid() or not os.getuid()}
    for pid in ours:
        for name in ("environ", "mem", "maps", "cwd/.", "fd"):
            place = f"/proc/{pid}/{name}"
            try:
                os.listdir(place) if name in {"fd", "cwd/."} else open(place, "rb").read(1)
            except PermissionError:
                continue
            except OSError as error:  # memory can be opened, but address 0 is not mapped
                found.append(f"{place}: {error}")
            else:
                found.append(place)
    with socket.socket(socket.AF_UNIX) as engine:
        try:
            engine.connect("/var/run/docker.sock")
        except PermissionError:
            pass
        else:
            found.append("the socket")
    return found
"""

_TESTS: Final = """
import glob, os, pathlib, socket, subprocess, sys
import pytest
import reach

UID = {uid}
FOREIGN = "ghs_T0ken", "eyRunt1me", "eyOpenId"


def test_process_1_and_the_engine_are_closed():
    assert reach.taken() == []


def test_no_variable_of_ours():
    for names in (os.environ, dict(reversed(line.split(b"=", 1)) for line in open("/proc/self/environ", "rb").read().split(b"\\0") if b"=" in line)):
        assert not [n for n in names if str(n).startswith(("INPUT_", "ACTIONS_", "STATE_"))]
    forbidden = "GITHUB_TOKEN GH_TOKEN GITHUB_OUTPUT GITHUB_ENV GITHUB_STATE GITHUB_PATH GITHUB_STEP_SUMMARY".split()
    assert not [n for n in forbidden if n in os.environ]
    assert not [n for n, value in os.environ.items() if value.startswith(FOREIGN)]
    assert not [n for n in os.environ if "INDEX" in n]


def test_who_we_are():
    workspace = os.stat(os.environ["GITHUB_WORKSPACE"])
    assert set(os.getresuid()) == {{UID}}
    assert workspace.st_uid == UID
    assert 0 not in os.getresgid()
    assert set(os.getgroups()) <= {{os.getgid()}}
    status = pathlib.Path("/proc/self/status").read_text()
    assert "CapEff:\\t0000000000000000" in status
    with pytest.raises(PermissionError):
        os.setuid(0)


def test_a_home_to_write_to():
    home = pathlib.Path.home()
    (home / ".config").mkdir(parents=True, exist_ok=True)
    (home / ".config" / "x").write_text("x")
    assert home.stat().st_uid == UID


def test_our_temporary_files_are_closed():
    tempdir = glob.glob("/tmp/ci-action-*") + glob.glob(os.environ["RUNNER_TEMP"] + "/ci-action-*")
    assert tempdir
    for folder in tempdir:
        with pytest.raises(PermissionError):
            os.listdir(folder)
        with pytest.raises(PermissionError):
            os.rename(folder, folder + "-moved")
        with pytest.raises(PermissionError):
            pathlib.Path(folder, "work", "environment.json").write_text("x")


def test_our_own_program_is_closed():
    import ciaction_pytest

    with pytest.raises(PermissionError):
        open(ciaction_pytest.__file__, "a")
    with pytest.raises(PermissionError):
        open("/usr/local/bin/planted", "w")


def test_the_build_ran_as_us_and_took_nothing():
    assert pathlib.Path("built-by.txt").read_text() == f"{{UID}} []"
"""

_SETUP: Final = """
import glob, os, pathlib, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import reach
from setuptools import setup
pathlib.Path(__file__).with_name("built-by.txt").write_text(f"{os.getuid()} {reach.taken()}")
for folder in glob.glob("/github/home/.cache/ci-action/environments/*"):
    link = os.path.join(folder, "ci-action.json")
    if not os.path.lexists(link):
        os.symlink("/github/runner_temp/planted", link)
setup(name="curious", version="1", py_modules=["reach"])
"""

CURIOUS: Final = {
    "pyproject.toml": "[build-system]\nrequires = ['setuptools']\nbuild-backend = 'setuptools.build_meta'\n",
    "setup.py": _SETUP,
    "reach.py": _REACH,
    "test_probes.py": _TESTS.format(uid=projects.OWNER),
    ".gitignore": "built-by.txt\n",
}

# Writes forged outputs, variables and a summary for the runner, now and while it lives.
SPOOFING: Final = {
    "test_spoof.py": '''
import glob, os, subprocess, sys

FORGED = {
    "set_output": "result=passed\\nfindings=0\\n",
    "set_env": "LD_PRELOAD=/spoofed.so\\n",
    "add_path": "/spoofed\\n",
    "save_state": "spoofed=1\\n",
    "step_summary": "# spoofed: all is well\\n",
}
LASTING = """
import glob, time
forged = %r
for _ in range(600):
    for prefix, text in forged.items():
        for name in glob.glob("/github/file_commands/" + prefix + "_*"):
            open(name, "a").write(text)
    time.sleep(0.05)
""" % FORGED


def test_forge():
    for prefix, text in FORGED.items():
        [name] = glob.glob(f"/github/file_commands/{prefix}_*")
        with open(name, "a") as stream:
            stream.write(text)


def test_forge_later():
    quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.Popen([sys.executable, "-c", LASTING], start_new_session=True, **quiet)


def test_that_fails():
    assert 0
''',
}

# The same from where the security stage runs code of the project: the build of its metadata, a plugin of its baseline.
_NOTING: Final = '''
import os, pathlib, subprocess, sys
sys.path.insert(0, "/github/workspace")
import reach

FOREIGN = "ghs_T0ken", "eyRunt1me", "eyOpenId"
CLOSED = "INPUT_", "ACTIONS_", "STATE_", "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH"
LASTING = """
import glob, time
for _ in range(600):
    for name in glob.glob("/github/file_commands/*"):
        open(name, "a").write("result=passed\\\\n# spoofed: all is well\\\\n")
    time.sleep(0.05)
"""


def note(who):
    seen = sorted(name for name, value in os.environ.items() if name.startswith(CLOSED) or value.startswith(FOREIGN))
    with open(f"/github/workspace/{who}.noted", "a") as stream:
        stream.write(f"{os.getuid()} {os.getgroups()} {reach.taken()} {seen}\\n")
    quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.Popen([sys.executable, "-c", LASTING], start_new_session=True, **quiet)
'''
_PLUGIN: Final = """
import sys
sys.path.insert(0, "/github/workspace")
import noting
from detect_secrets.plugins.base import BasePlugin

noting.note("plugin")
print("::set-output name=result::passed")


class Curious(BasePlugin):
    secret_type = "::error::Curious"

    def analyze_string(self, string):
        return []
"""
_BASELINE: Final = """{"version": "1.5.0", "filters_used": [], "results": {}, "plugins_used": [
  {"name": "AWSKeyDetector"}, {"name": "Curious", "path": "file:///github/workspace/plugin.py"}]}
"""

CURIOUS_SETTINGS: Final = {
    "pyproject.toml": "[build-system]\nrequires = ['setuptools']\nbuild-backend = 'setuptools.build_meta'\n",
    "setup.py": (
        "import sys\nsys.path.insert(0, '/github/workspace')\nimport noting\nfrom setuptools import setup\n"
        "noting.note('build')\nsetup(name='curious', version='1', py_modules=[], install_requires=['requests==2.19.0'])\n"
    ),
    "noting.py": _NOTING,
    "reach.py": _REACH,
    "plugin.py": _PLUGIN,
    ".secrets.baseline": _BASELINE,
    "weak.py": "import subprocess\n\nsubprocess.call('ls', shell=True)\n",
    ".gitignore": "*.noted\n",
}

SLEEPING_PLUGIN: Final = {
    ".secrets.baseline": _BASELINE,
    "plugin.py": """
import time
from detect_secrets.plugins.base import BasePlugin


class Curious(BasePlugin):
    secret_type = "Sleeping"

    def analyze_string(self, string):
        time.sleep(600)
""",
}
