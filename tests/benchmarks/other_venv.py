"""A venv for a library that is only compared with: it never mixes with the packages of the project.

Here: making it once below ``.tools``. Not here: what is run in it.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / ".tools"


def other_python(name: str, *requirements: str) -> Path:
    """The interpreter of a venv that holds ``requirements``; made anew when they have changed."""
    stamp = hashlib.sha256("\n".join((sys.version, *requirements)).encode()).hexdigest()[:12]
    venv = TOOLS / f"bench-{name}-{stamp}"
    python = venv / "bin" / "python"
    if not (venv / "done").exists():
        print(f"  making a venv for {', '.join(requirements)} (once) ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
        uv = shutil.which("uv") or str(TOOLS / "uv" / "bin" / "uv")
        fast = [uv, "pip", "install", "-q", "--python", str(python)] if Path(uv).exists() else None
        subprocess.run([*(fast or [str(python), "-m", "pip", "install", "-q"]), *requirements], check=True)
        (venv / "done").touch()
    return python
