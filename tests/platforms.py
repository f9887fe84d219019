"""What a platform must have for a test to mean anything on it. Each reason names what is missing."""

import os
import sys
from pathlib import Path

import pytest

needs_file_modes = pytest.mark.skipif(
    os.name != "posix", reason="file modes for owner, group and others are missing: this platform is not POSIX"
)
needs_posix_processes = pytest.mark.skipif(
    os.name != "posix", reason="signals, pipes and wait4 as POSIX has them are missing on this platform"
)
needs_root = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0,
    reason="the right to give a file to another user, which root alone has, is missing",
)
needs_linux = pytest.mark.skipif(
    sys.platform != "linux",
    reason="the session bus, through which Linux reaches a desktop, is missing on this platform",
)
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="/proc, which tells a process's memory and arguments, is missing"
)
