#!/usr/bin/env python3
"""Records what real programs write on a terminal of 80 by 24 cells, as NAME.bin beside this file.

Each runs in a container of bubblewrap with a user, a host name and a home folder of its own, so that
nothing of the machine is in the recordings. `record.py NAME…` records some, without names all.
"""

import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import time
import fcntl
import termios

MAX_BYTES = 48 << 10
HERE = os.path.dirname(os.path.abspath(__file__))

# What is set up in the home folder of each recording.
SETUP = r"""
cd ~ && mkdir -p src/tide docs && cd src/tide
git init -q -b main . && git config user.name Ann && git config user.email ann@example.org
for n in 1 2 3; do echo "line $n" > "file$n.txt"; git add . ; git commit -qm "Add file $n"; done
git checkout -qb shore HEAD~1 && echo shore > shore.txt && git add . && git commit -qm "Add the shore"
git checkout -q main && git merge -q --no-edit shore && git tag v1
seq 1 400 | sed 's/$/ the tide comes and goes/' > long.txt
printf '潮だまり 海 조수 웅덩이\n\tשלום עולם، مرحبا بالعالم\nnaïve café é\n' > words.txt
printf '#!/bin/sh\nfor i in 1 2 3; do\n  echo "$i"\ndone\n' > run.sh && chmod +x run.sh
ln -s run.sh link && mkdir -p sub/deep && touch sub/deep/{a,b}.rs
cat > hello.c <<'C'
#include <stdio.h>

int main(void) {
    int unused;
    printf("tide %d\n", "high");
    return 0
}
C
clear
"""

CURSES = r'''
import curses
def main(w):
    curses.start_color(); curses.use_default_colors()
    for i in range(1, 8): curses.init_pair(i, i, -1 if i % 2 else 0)
    w.border(); w.addstr(1, 2, "curses", curses.A_BOLD)
    for i in range(1, 8): w.addstr(2 + i, 4, "colour %d" % i, curses.color_pair(i) | curses.A_REVERSE)
    w.hline(11, 2, curses.ACS_HLINE, 30); w.vline(3, 40, curses.ACS_VLINE, 8)
    w.addstr(13, 2, "潮だまり", curses.A_UNDERLINE); w.refresh()
    w.getch(); w.scrollok(True); w.setscrreg(12, 20); w.scroll(2); w.refresh(); w.getch()
curses.wrapper(main)
'''

PROGRESS = r'''
import sys, time
for i in range(0, 101, 4):
    bar = "█" * (i * 30 // 100); rest = "░" * (30 - len(bar))
    sys.stdout.write("\r\x1b[K\x1b[36m%s\x1b[90m%s\x1b[0m %3d%% \x1b[2m%d/100 MiB\x1b[0m" % (bar, rest, i, i))
    sys.stdout.flush(); time.sleep(.01)
print()
for name in ("bytes", "tokio", "axum"): print("\x1b[1m\x1b[32m   Compiling\x1b[0m %s v1.0" % name)
sys.stdout.write("\x1b[1m\x1b[36m    Building\x1b[0m [=====>    ] 3/7: tide\r")
sys.stdout.flush(); time.sleep(.05)
sys.stdout.write("\x1b[K\x1b[1m\x1b[33mwarning\x1b[0m\x1b[1m: unused variable: `x`\x1b[0m\n")
'''

COLORS = r'''
for base in (0, 8):
    print("".join("\x1b[48;5;%dm %3d \x1b[0m" % (base + i, base + i) for i in range(8)))
for row in range(6):
    print("".join("\x1b[38;5;%dm%4d\x1b[0m" % (16 + row * 36 + i, 16 + row * 36 + i) for i in range(18)))
print("".join("\x1b[48;5;%dm  \x1b[0m" % i for i in range(232, 256)))
print("".join("\x1b[38;2;%d;%d;%dm▀\x1b[0m" % (i * 3, 255 - i * 3, 128) for i in range(80)), end="")
for n in (1, 2, 3, 4, 5, 7, 9): print("\x1b[%dmstyle %d\x1b[0m" % (n, n), end=" ")
print("\x1b[1;3;4;9;31;44mall\x1b[22;23mfewer\x1b[0m")
'''

SCRIPTS = r'''
print("漢字かなカナ 한국어 Ελληνικά Русский ไทย हिन्दी")
print("العربية עברית فارسی اردو")
print("ab漢" * 26)
print("x" * 79 + "漢" + "next")
print("e\u0301 a\u0308o\u0302 n\u0303 \u1e69")
print("｡｢ﾃｽﾄ｣ ＡＢＣ ①②③ ─│┌┐ ╔╗ █▓▒░ ⠿⠷")
'''

EMOJI = r'''
print("🌊🐚🦀 tide 🐙 🌙")
print("⚡☕✅❌⭐ end")
print("🌊" * 39 + "x" + "🌊" + "y")
print("|🌊|海|x|")
'''

PRIVATE = r'''
import sys
w = sys.stdout.write
w("\x1b[2J\x1b[H\x1b[5;10r\x1b[5H")
for i in range(9): w("scroll %d\r\n" % i)
w("\x1b[r\x1b[12Hinsert: abcdef\x1b[6D\x1b[3@XYZ\x1b[13Hdelete: abcdef\x1b[4D\x1b[2P")
w("\x1b[14Herase: abcdef\x1b[3D\x1b[2X\x1b[15Hrepeat: a\x1b[9b\x1b[16;5H\x1b[1Kleft")
w("\x1b[18H\x1b[2L\x1b[20H\x1b[1M\x1b[3;1Htab\tstop\t|\x1b[3g\x1b[17;20Hx\tno stop")
w("\x1b[21H\x1b(0lqqqk\x1b(B\x1b7\x1b[22;40Hsaved\x1b8here\x1b[23H\x1b[?7lno wrap " + "z" * 90 + "\x1b[?7h")
w("\x1b[24;1Hlast\x1b[?6h\x1b[1;1Horigin\x1b[?6l\x1bM\x1b[1;60Hend")
'''

# What programs ask their terminal, and what xterm would answer.
ANSWERS = [
    (b"\x1b[c", b"\x1b[?62;c"), (b"\x1b[0c", b"\x1b[?62;c"), (b"\x1b[>c", b"\x1b[>0;276;0c"),
    (b"\x1b[5n", b"\x1b[0n"), (b"\x1b[6n", b"\x1b[1;1R"),
]

# name: (command, keys with the seconds before each)
PROGRAMS = {
    "vim": ("vim long.txt", [(.6, "/comes\r"), (.3, ":set nu\r"), (.3, "10dd"), (.3, "ihello\x1b")]),
    "vim-split": ("vim -o words.txt run.sh", [(.6, ":syntax on\r"), (.3, "\x17w"), (.3, "ggVG")]),
    "vim-quit": ("vim run.sh", [(.6, ":q\r"), (.4, "echo back\r")]),
    "less": ("less long.txt", [(.4, "ff"), (.3, "/400\r"), (.3, "b")]),
    "less-words": ("less words.txt", [(.5, "")]),
    "htop": ("htop --no-color -d 5", [(.8, "")]),
    "htop-color": ("htop -d 5", [(.8, "t"), (.6, "")]),
    "top": ("top -d 1", [(1.5, "")]),
    "nano": ("nano words.txt", [(.6, "new \x0b"), (.3, "\x07"), (.5, "")]),
    "mc": ("mc -x", [(1.2, "\x1b[B\x1b[B"), (.4, "\t"), (.4, "")]),
    "tmux": ("tmux -f /dev/null new -s tide", [(.9, "ls --color\r"), (.5, "\x02%"), (.7, "echo right\r"), (.5, '\x02"'), (.9, "")]),
    "git-log": ("git --no-pager log --graph --color --all --decorate", [(.5, "")]),
    "git-log-pager": ("git log --graph --color --stat", [(.6, "f"), (.4, "")]),
    "git-diff": ("git --no-pager diff --color v1~2 v1", [(.5, "")]),
    "tig": ("tig", [(.9, "\x1b[B\r"), (.6, "")]),
    "ls-color": ("ls -la --color=always . sub/deep /usr/share/terminfo", [(.5, "")]),
    "tree": ("tree -C", [(.4, "")]),
    "grep-color": ("grep -n --color=always -e tide -e 3 long.txt | head -40", [(.4, "")]),
    "gcc": ("gcc -Wall -fdiagnostics-color=always hello.c", [(1.2, "")]),
    "make-progress": ("python3 ~/progress.py", [(.9, "")]),
    "curses": ("python3 ~/curses_test.py", [(.7, "x"), (.5, "")]),
    "colors": ("python3 ~/colors.py", [(.5, "")]),
    "scripts": ("python3 ~/scripts.py", [(.5, "")]),
    "emoji": ("python3 ~/emoji.py", [(.5, "")]),
    "sequences": ("python3 ~/private.py", [(.5, "")]),
    "dialog": ("dialog --title Tide --menu 'Choose a shore' 15 50 5 1 Sand 2 Rock 3 潮", [(.6, "\x1b[B"), (.4, "")]),
    "dialog-gauge": ("(for i in 10 40 80; do echo $i; sleep .1; done) | dialog --gauge Tide 8 50", [(1, "")]),
    "whiptail": ("whiptail --checklist Shores 15 50 5 a Sand on b Rock off", [(.6, " \t"), (.4, "")]),
    "ncdu": ("ncdu --color dark ~", [(1, "\x1b[B"), (.4, "")]),
    "w3m": ("w3m ~/page.html", [(.7, "\t\t"), (.4, "")]),
    "watch": ("watch -c -n 1 ls --color=always", [(1.3, "")]),
    "figlet": ("figlet -w 80 Tidepool", [(.4, "")]),
    "python-repl": ("TERM=xterm-256color python3 -q", [(.6, "for i in range(3): print(i)\r\r"), (.4, "1/0\r"), (.4, "")]),
    "bash-edit": ("bash --norc", [(.4, "echo one two three\x01\x1b[C\x1b[C\x0b"), (.3, "\x19\x1bb\x7f\x7f"), (.3, "\x03echo 潮\x7f\x7fx\r"), (.3, "")]),
    "cmatrix": ("cmatrix -b", [(.8, "")]),
    "vttest-cursor": ("vttest", [(.5, "1\r"), (.7, "\r"), (.5, "\r"), (.5, "\r"), (.5, "")]),
    "vttest-screen": ("vttest", [(.5, "2\r"), (.6, "\r"), (.5, "\r"), (.5, "\r"), (.5, "\r"), (.5, "")]),
    "vttest-sets": ("vttest", [(.5, "3\r"), (.5, "8\r"), (.6, "")]),
    "vttest-insert": ("vttest", [(.5, "8\r"), (.7, "\r"), (.5, "\r"), (.5, "\r"), (.5, "\r"), (.5, "")]),
    "vttest-double": ("vttest", [(.5, "4\r"), (.7, "")]),
    "jq": ("echo '{\"tide\":[1,null,\"潮\"],\"ok\":true}' | jq -C .", [(.5, "")]),
}


def home():
    folder = tempfile.mkdtemp(prefix="terminal-corpus-")
    for name, text in {
        "curses_test.py": CURSES, "progress.py": PROGRESS, "colors.py": COLORS,
        "scripts.py": SCRIPTS, "emoji.py": EMOJI, "private.py": PRIVATE, "setup.sh": SETUP,
        "page.html": "<h1>Tide</h1><p>A <a href=x>link</a> and <b>bold</b> 潮</p>"
                     "<table border=1><tr><td>a<td>b</table><form><input name=q></form>",
    }.items():
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
    with open(os.path.join(folder, "passwd"), "w") as file:
        file.write("ann:x:1000:1000:ann:/home/ann:/bin/bash\n")
    return folder


def contained(folder, command):
    args = ["bwrap", "--unshare-all", "--die-with-parent", "--uid", "1000", "--gid", "1000",
            "--hostname", "shore", "--clearenv", "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin",
            "--setenv", "HOME", "/home/ann", "--setenv", "USER", "ann", "--setenv", "TERM",
            "xterm-256color", "--setenv", "LANG", "C.UTF-8", "--setenv", "PS1", "$ ",
            "--setenv", "SHELL", "/bin/bash", "--setenv", "GIT_COMMITTER_DATE", "2026-01-02T03:04:05",
            "--setenv", "GIT_AUTHOR_DATE", "2026-01-02T03:04:05",
            "--setenv", "COLORTERM", "truecolor",
            "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib",
            "--symlink", "usr/lib64", "/lib64", "--symlink", "usr/sbin", "/sbin",
            "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--bind", folder, "/home/ann",
            "--ro-bind", folder + "/passwd", "/etc/passwd"]
    for name in ("alternatives", "terminfo", "ld.so.cache", "mc", "vim", "nanorc"):
        args += ["--ro-bind-try", "/etc/" + name, "/etc/" + name]
    return args + ["--chdir", "/home/ann", "bash", "-c",
                   ". ~/setup.sh >/dev/null 2>&1; cd ~/src/tide; printf '$ \\r\\n'; %s; "
                   "printf '$ '; exec bash --norc --noprofile" % command]


def record(name):
    command, keys = PROGRAMS[name]
    folder = home()
    pid, terminal = pty.fork()
    if pid == 0:
        args = contained(folder, command)
        os.execvp(args[0], args)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    output = b""

    def read_for(seconds):
        nonlocal output
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            ready, _, _ = select.select([terminal], [], [], max(0, end - time.monotonic()))
            if not ready:
                return
            try:
                new = os.read(terminal, 65536)
            except OSError:
                return
            output += new
            for question, answer in ANSWERS:
                if question in new:
                    os.write(terminal, answer)

    end = time.monotonic() + 5
    while b"$ \r\n" not in output and time.monotonic() < end:
        read_for(.05)
    for delay, text in keys:
        read_for(delay)
        os.write(terminal, text.encode())
    read_for(.5)
    os.kill(pid, 9)
    os.close(terminal)
    os.waitpid(pid, 0)
    subprocess.run(["rm", "-rf", folder], check=False)
    output = output[:MAX_BYTES]
    # Not in the middle of a character or of an escape sequence.
    with open(os.path.join(HERE, name + ".bin"), "wb") as file:
        file.write(output)
    print(name, len(output))


for chosen in sys.argv[1:] or PROGRAMS:
    record(chosen)
