"""A board: an sshd on this machine's loopback, and an ssh that knows it."""

import contextlib
import os
import shutil
import socket
import subprocess
import time

import pytest

SSHD = shutil.which("sshd", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"]))
needs_sshd = pytest.mark.skipif(
    not (SSHD and shutil.which("ssh") and shutil.which("ssh-keygen")),
    reason="no sshd: install openssh-server and openssh-client",
)
NAME = "ssh-board-onnxruntime-float32-batch1-threads1"


@contextlib.contextmanager
def serving(folder):
    """Serve on a free port with a throwaway key, in an empty folder; `bin/ssh` there knows the host `board`."""
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
    shutil.copy(folder / "user.pub", folder / "authorized")
    if os.getuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)  # sshd insists on it as root
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
        f"PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
    )
    (folder / "ssh_config").write_text(
        f"Host board\n  HostName 127.0.0.1\n  Port {port}\nHost nowhere\n  HostName 127.0.0.1\n  Port 1\n"
        f"Host *\n  IdentityFile {folder}/user\n  IdentitiesOnly yes\n  StrictHostKeyChecking no\n"
        f"  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n"
    )
    (folder / "bin").mkdir()
    (folder / "bin" / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n')
    (folder / "bin" / "ssh").chmod(0o755)
    with open(folder / "log", "wb") as log:
        daemon = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "sshd_config"], stderr=log)
    try:
        for _ in range(50):
            trial = subprocess.run([folder / "bin" / "ssh", "board", "true"], capture_output=True, text=True)
            if trial.returncode == 0:
                break
            time.sleep(0.2)
        else:
            pytest.fail(f"no login: {trial.stderr} {(folder / 'log').read_text()}")
        yield
    finally:
        daemon.terminate()
        daemon.wait()
