"""Code that tries to get out of the sandbox. It prints GOT IN where it succeeds.

Upper-case names are given to it: see `Surroundings`. Where it may fail outside the sandbox
too, because the machine lacks a right or a feature, the attack says so: it proves nothing there.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ATTACKS", "Attack"]


class Attack(NamedTuple):
    code: str
    writable: bool | None = False
    """Whether the folder is; None: it is tried both ways."""
    may_fail: bool = False
    """Outside the sandbox."""


SYSCALL = """
import ctypes, os, platform
libc = ctypes.CDLL(None, use_errno=True)
arm = platform.machine() == "aarch64"
def call(x86_64, aarch64, *arguments):
    number = ctypes.c_long(aarch64 if arm else x86_64)
    result = libc.syscall(number, *[
        ctypes.c_char_p(each) if isinstance(each, bytes) else ctypes.c_long(each)
        for each in arguments
    ])
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
"""
GOT_IN = "\nprint('GOT', 'IN')"
SOCKET = "import socket\n"

_READS = {
    "the password file": "print('GOT', 'IN') if open('/etc/passwd').read() else None",
    "a file beside": "print(open(SECRET).read())",
    "a file beside, by ..": "print(open('../secret.txt').read())",
    "a file beside, by a descriptor": (
        "import os; up = os.open('..', os.O_PATH)\n"
        "print(os.read(os.open('secret.txt', os.O_RDONLY, dir_fd=up), 99))"
    ),
    "a file beside, by a link that was there": "print(open('link').read())",
    "a file beside, by openat2": (
        SYSCALL + "fd = call(437, 437, -100, SECRET.encode(), bytes(24), 24)\n"
        "print(os.read(fd, 99))"
    ),
    "a file beside, reopened": (
        "import os; fd = os.open(SECRET, os.O_PATH)\nprint(open(f'/proc/self/fd/{fd}').read())"
    ),
    "a file beside, by another program": "import os; os.execv('/bin/cat', ['cat', SECRET])",
    "a log in the folder": "print(open('.kimi_nb/runs/log.jsonl').read())",
    "the folder above": "import os; print('GOT', 'IN') if os.listdir('..') else None",
    "the root folder": "import os; print('GOT', 'IN') if os.listdir('/') else None",
    "the home folder": "import os; os.listdir(OUR_HOME)" + GOT_IN,
    "another's environment": (
        "if b'canary' in open(f'/proc/{VICTIM}/environ', 'rb').read(): print('GOT', 'IN')"
    ),
    "the parent's environment": (
        "if open(f'/proc/{PARENT}/environ', 'rb').read(): print('GOT', 'IN')"
    ),
    "another's memory as a file": "open(f'/proc/{VICTIM}/mem', 'rb')" + GOT_IN,
    "which program the parent is": "import os; os.readlink(f'/proc/{PARENT}/exe')" + GOT_IN,
    "its own environment": "import os; os.environ['KIMI_CANARY']" + GOT_IN,
    "an inherited descriptor": "import os; print(os.read(INHERITED, 99))",
    "who does what in a folder": (
        SYSCALL + "fd = call(294, 26, 0)\ncall(254, 27, fd, OUTSIDE.encode(), 0xfff)" + GOT_IN
    ),
}

_WRITES = {
    "a new file": "open('new.txt', 'w')",
    "a file that is there": "open('data.txt', 'a')",
    "shortening a file": "import os; os.truncate('data.txt', 0)",
    "removing a file": "import os; os.remove('data.txt')",
    "a new folder": "import os; os.mkdir('new')",
    "another name for a file": "import os; os.rename('data.txt', 'new.txt')",
    "a file in shared memory": "open(f'/dev/shm/kimi_nb-{PARENT}', 'w'); import os; "
    "os.remove(f'/dev/shm/kimi_nb-{PARENT}')",
    "memory as a file": "import os; os.memfd_create('x')",
}

_WRITES_OUTSIDE = {
    "a new file outside": "open(OUTSIDE + '/new.txt', 'w')",
    "shortening a file outside": "import os; os.truncate(SECRET, 0)",
    "removing a file outside": "import os; os.remove(SECRET)",
    "moving a file out": "import os; os.rename('data.txt', '../data.txt')",
    "moving a file in": "import os; os.rename(SECRET, 'stolen')",
    "a hard link to a file outside": "import os; os.link(SECRET, 'stolen')",
    "a link that leads out": "import os; os.symlink(SECRET, 'new')",
    "a FIFO to wait at": "import os; os.mkfifo('new')",
    "the mode of a file outside": "import os; os.chmod(SECRET, 0o777)",
    "the times of a file outside": "import os; os.utime(SECRET, (1, 1))",
    "the group of a file outside": "import os; os.chown(SECRET, -1, os.getgid())",
    "a log in the folder, written": "open('.kimi_nb/runs/log.jsonl', 'a')",
    "a log in the folder, moved": "import os; os.rename('.kimi_nb', 'sub/new')",
    "what git runs": "open('.git/hooks/pre-commit', 'w')",
}

_TALKS = {
    "TCP": SOCKET + "socket.create_connection(('127.0.0.1', TCP))",
    "UDP": SOCKET + "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', UDP))",
    "a Unix socket": SOCKET + "socket.socket(socket.AF_UNIX).connect(UNIX)",
    "a Unix socket of datagrams": (
        SOCKET + "socket.socketpair(type=socket.SOCK_DGRAM)[0].sendto(b'x', DATAGRAMS)"
    ),
    "an abstract Unix socket": SOCKET + "socket.socket(socket.AF_UNIX).connect('\\0' + ABSTRACT)",
    "listening": SOCKET + "socket.create_server(('127.0.0.1', 0))",
    "a socket by its number": SYSCALL + "call(41, 198, 2, 1, 0)",
    "a netlink socket": SOCKET + "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
}

_PROCESSES = {
    "fork": "import os\nif os.fork() == 0: os._exit(0)",
    "another program": "import subprocess, sys; subprocess.run([sys.executable, '-V'])",
    "posix_spawn": "import os, sys; os.posix_spawn(sys.executable, ['python', '-V'], {})",
    "clone by its number": SYSCALL + "if call(56, 220, 17, 0, 0, 0, 0) == 0: os._exit(0)",
    "clone3": (
        SYSCALL + "import struct\n"
        "how = struct.pack('8Q', 0, 0, 0, 0, 17, 0, 0, 0)\n"
        "if call(435, 435, how, 64) == 0: os._exit(0)"
    ),
    "a daemon": (
        "import os, time\n"
        "reading, writing = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0: os.write(writing, b'x')\n"
        "    os._exit(0)\n"
        "os.read(reading, 1)"
    ),
    "killing another": "import os; os.kill(VICTIM, 9)",
    "asking for another": "import os; os.kill(VICTIM, 0)",
    "asking for the parent": "import os; os.kill(PARENT, 0)",
    "killing by thread": SYSCALL + "call(234, 131, VICTIM, VICTIM, 9)",
    "killing by the old call": SYSCALL + "call(200, 130, VICTIM, 9)",
    "killing by descriptor": (
        "import os, signal; signal.pidfd_send_signal(os.pidfd_open(VICTIM), 9)"
    ),
    "a signal when there is data": (
        SOCKET + "import fcntl\nfcntl.fcntl(socket.socketpair()[0], fcntl.F_SETOWN, VICTIM)"
    ),
    "ptrace": SYSCALL + "call(101, 117, 16, VICTIM, 0, 0)",
    "another's memory": (
        SYSCALL + "import struct\n"
        "buffer = ctypes.create_string_buffer(8)\n"
        "local = struct.pack('PN', ctypes.addressof(buffer), 8)\n"
        "remote = struct.pack('PN', 0, 8)\n"
        "try: call(310, 270, VICTIM, local, 1, remote, 1, 0)\n"
        "except OSError as error:\n"
        "    if error.errno != 14: raise"  # EFAULT: it was read, where there is nothing
    ),
    "another's limits": (
        "import resource; resource.prlimit(VICTIM, resource.RLIMIT_NOFILE, (0, 0))"
    ),
    "another's processors": "import os; os.sched_setaffinity(VICTIM, os.sched_getaffinity(0))",
    "another's priority": "import os; os.setpriority(os.PRIO_PROCESS, VICTIM, 19)",
    "outliving the parent": SYSCALL + "call(157, 167, 1, 0)",
    "its own limits": (
        "import resource as r; r.setrlimit(r.RLIMIT_CPU, (r.RLIM_INFINITY, r.RLIM_INFINITY))"
    ),
    "another session": "import os; os.setsid()",
}

_KERNEL = {
    "root's own file": "open('/etc/shadow')",
    "the kernel's log": "open('/dev/kmsg')",
    "another user": "import os; os.setuid(65534)",
    "a file that only capabilities open": "print(open('closed.txt').read())",
    "io_uring": SYSCALL + "call(425, 425, 1, bytes(120))",
    "a user namespace": SYSCALL + "call(272, 97, 0x10000000)",
    "a network namespace": SYSCALL + "call(272, 97, 0x40000000)",
    "another's namespace": SYSCALL
    + "fd = call(434, 434, VICTIM, 0); call(308, 268, fd, 0x04000000)",
    "userfaultfd": SYSCALL + "call(323, 282, 1)",
    "bpf": SYSCALL
    + "call(321, 280, 0, bytes([1] + [0] * 3 + [4] + [0] * 3 + [4] + [0] * 3 + [1] + "
    "[0] * 113), 128)",
    "performance counters": SYSCALL
    + "call(298, 241, bytes([1, 0, 0, 0, 128]) + bytes(123), 0, -1, "
    "-1, 0)",
    "a key": SYSCALL + "call(248, 217, b'user', b'kimi_nb', b'x', 1, -3)",
    "the keyring": SYSCALL + "call(250, 219, 0, -3, 1)",
    "mount": SYSCALL + "call(272, 97, 0x20000); call(165, 40, b'x', b'/mnt', b'tmpfs', 0, 0)",
    "chroot": "import os; os.chroot('.')",
    "personality": SYSCALL + "call(135, 92, 0xffffffff)",
    "shared memory of System V": SYSCALL + "call(31, 195, call(29, 194, 0, 4096, 0o600), 0, 0)",
    "an attribute of a file outside": "import os; os.setxattr(SECRET, 'user.x', b'x')",
    "handles of files": SYSCALL + "call(303, 264, -100, SECRET.encode(), bytes([128] + [0] * 200), "
    "bytes(8), 0)",
}


def _attacks() -> dict[str, Attack]:
    plain = {**_WRITES, **_TALKS, **_PROCESSES}
    kernel = {
        name: Attack(code if "GOT" in code or "print" in code else code + GOT_IN, may_fail=True)
        for name, code in _KERNEL.items()
    }
    return {
        **{name: Attack(code, writable=None) for name, code in _READS.items()},
        **{name: Attack(code + GOT_IN) for name, code in plain.items()},
        **{name: Attack(code + GOT_IN, writable=True) for name, code in _WRITES_OUTSIDE.items()},
        **kernel,
    }


ATTACKS = _attacks()
