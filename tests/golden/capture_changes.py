"""Record what git prints for a change with everything in it: `python tests/golden/capture_changes.py`."""

import os
import subprocess
import tempfile
from pathlib import Path

from ci_action.project.git.repository import DIFF

LONG = b"".join(b"%d\n" % number for number in range(50))
BEFORE = {
    b"plain.py": b"1\n2\n3\n4\n5\n", b"sp ace.py": b"1\n2\n", b'quo"te.py': b"1\n2\n", b"new\nline.py": b"1\n2\n",
    b"bad\xff\xe9.py": b"1\n2\n", "é.py".encode(): b"1\n", b"moved.py": LONG, b"mode.py": b"x\n", b"binary.py": b"\0\1",
    b"cut.py": b"1\n2\n3\n", b"gone.py": b"1\n", b"tab\t.py": b"1\n", b"no newline.py": b"1", b"same.py": LONG + b"x\n",
    b" lead.py ": b"1\n", b"crlf.py": b"1\r\n2\r\n", b"link.py": b"x\n", b"back\\slash.py": b"1\n", b"a b/b/x b/c.py": b"1\n",
    b"x and y.py": b"\0\1",
}  # fmt: skip
AFTER = BEFORE | {
    b"plain.py": b"1\nX\n3\n4\n5\n6\n--- a/x\n+++ b/y\n@@ -1 +1 @@\ndiff --git s://x d://x\n* Unmerged path z\n",
    b"sp ace.py": b"1\nX\n", b'quo"te.py': b"X\n2\n", b"new\nline.py": b"1\nX\n", b"bad\xff\xe9.py": b"1\nX\n",
    "é.py".encode(): b"X\n", b"was moved.py": LONG + b"z\n", b"binary.py": b"\0\2", b"cut.py": b"1\n3\n", b"tab\t.py": b"2\n",
    b"no newline.py": b"1\n", b"the same.py": LONG + b"x\n", b" lead.py ": b"2\n", b"crlf.py": b"1\r\n3\r\n", b"empty.py": b"",
    b"back\\slash.py": b"2\n", b"a b/b/x b/c.py": b"2\n", b"dash\n+++ b.py": b"1\n2\n3\n", b"x and y.py": b"\0\2",
}  # fmt: skip
AWAY = (b"moved.py", b"same.py", b"gone.py")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:

        def git(*words: str) -> bytes:
            argv = ("git", "-c", "user.name=n", "-c", "user.email=n@example.org", *words)
            return subprocess.run(argv, cwd=folder, check=True, stdout=subprocess.PIPE).stdout

        def put(files: dict[bytes, bytes]) -> None:
            for name, content in files.items():
                path = os.path.join(os.fsencode(folder), name)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                Path(os.fsdecode(path)).write_bytes(content)

        git("init", "--quiet")
        put(BEFORE)
        git("add", "-A")
        git("commit", "--quiet", "-m", "before")
        put({name: content for name, content in AFTER.items() if name not in AWAY})
        for name in (*AWAY, b"link.py"):
            Path(folder, os.fsdecode(name)).unlink()
        Path(folder, "link.py").symlink_to("plain.py")
        Path(folder, "mode.py").chmod(0o755)
        git("add", "-A")
        version = git("--version").split()[2].decode()
        target = Path(__file__).parent / "git" / f"{version}-change.out"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(git(*DIFF[1:], "HEAD", "--"))


if __name__ == "__main__":
    main()
