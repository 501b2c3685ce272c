//! Programs that cannot be run, or that miss something: what the image lacks.

use crate::lab::beside;
use crate::place::Place;
use crate::system::{assert_each_says, assert_up_says, ended_ago, first_lines, system, up_fails};

const BUSYBOX: &str = "busybox:1.37-musl";
const PYTHON: &str = "python:3.13-slim";
const NODE: &str = "node:20-slim";
const GCC: &str = "gcc:14";
const DEBIAN: &str = "debian:bookworm-slim";

/// A service for each Dockerfile, built beside the setup. Its check never passes: how fast it ends depends on the
/// machine, and without a check it would count as up after a while.
fn built(name: &str, init: bool, dockerfiles: &[(&str, &str)]) -> Place {
    let mut services = "services:\n".to_owned();
    for (service, _) in dockerfiles {
        services.push_str(&format!("  {service}:\n    build: ../{service}\n    init: {init}\n    healthcheck: {{ test: [CMD-SHELL, exit 1], interval: 60s }}\n"));
    }
    let place = system(name, &services, &[]);
    for (service, dockerfile) in dockerfiles {
        place.write(&format!("{service}/Dockerfile"), dockerfile);
    }
    place
}

#[test]
fn a_command_that_cannot_be_run_is_named_with_its_line() {
    let place = || {
        let place = built(
            "commands",
            true,
            &[
                ("absent-python", "FROM python:3.13-slim\nCMD [\"gunicorn\", \"app:app\"]\n"),
                ("absent-shell", "FROM busybox:1.37-musl\nCMD serve --port 80\n"),
                ("denied-busybox", "FROM busybox:1.37-musl\nCOPY run.sh /app/\nCMD [\"/app/run.sh\"]\n"),
                ("denied-python", "FROM python:3.13-slim\nCOPY run.sh /srv/start\nENTRYPOINT /srv/start\n"),
                ("windows", "FROM busybox:1.37-musl\nCOPY --chmod=755 run.sh /app/\nCMD [\"/app/run.sh\"]\n"),
                ("no-bash", "FROM busybox:1.37-musl\nCOPY --chmod=755 run.sh /app/\nCMD [\"/app/run.sh\"]\n"),
            ],
        );
        place.write("denied-busybox/run.sh", "#!/bin/sh\nsleep 1000\n");
        place.write("denied-python/run.sh", "#!/bin/sh\nsleep 1000\n");
        place.write("windows/run.sh", "#!/bin/sh\r\nsleep 1000\r\n");
        place.write("no-bash/run.sh", "#!/bin/bash\nsleep 1000\n");
        place
    };
    let Some(lab) = beside(&[BUSYBOX, PYTHON], place) else { return };
    lab.xtask(&["build"]).exits(0);
    assert_each_says(
        &lab,
        &[
            (
                "absent-python",
                "error: `absent-python` ended with exit code 127: the command `gunicorn` is not in its image
  at absent-python/Dockerfile:2
  why: | exec gunicorn failed: No such file or directory
  fix: install `gunicorn` in absent-python/Dockerfile, or correct the command there, then: cargo xtask up",
            ),
            (
                "absent-shell",
                "error: `absent-shell` ended with exit code 127: the command `serve` is not in its image
  at absent-shell/Dockerfile:2
  why: | /bin/sh: serve: not found
  fix: install `serve` in absent-shell/Dockerfile, or correct the command there, then: cargo xtask up",
            ),
            (
                "denied-busybox",
                "error: `denied-busybox` ended with exit code 126: `/app/run.sh` is not executable
  at denied-busybox/Dockerfile:3
  why: | exec /app/run.sh failed: Permission denied
  fix: add `RUN chmod +x /app/run.sh` to denied-busybox/Dockerfile, then: cargo xtask up",
            ),
            (
                "denied-python",
                "error: `denied-python` ended with exit code 126: `/srv/start` is not executable
  at denied-python/Dockerfile:3
  why: | /bin/sh: 1: /srv/start: Permission denied
  fix: add `RUN chmod +x /srv/start` to denied-python/Dockerfile, then: cargo xtask up",
            ),
            (
                "windows",
                "error: `windows` ended with exit code 127: `/app/run.sh` has the line ends of Windows, so that its first line names no program
  at windows/Dockerfile:3
  why: | exec /app/run.sh failed: No such file or directory
  fix: sed -i 's/\\r$//' on that file, `*.sh text eol=lf` in .gitattributes, then: cargo xtask up",
            ),
            (
                "no-bash",
                "error: `no-bash` ended with exit code 127: `/app/run.sh` is a script for `/bin/bash`, which is not in its image
  at no-bash/Dockerfile:3
  why: | exec /app/run.sh failed: No such file or directory
  fix: install `/bin/bash` in no-bash/Dockerfile, or let the script begin with #!/bin/sh, then: cargo xtask up",
            ),
        ],
    );
    let ago = ended_ago(&lab, "no-bash");
    assert!(ago < 2.0, "a dead container was reported after {ago:.1} s");
}

/// The head of a program for arm64, which is all that the kernel looks at.
fn arm_program() -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    bytes.extend([2, 0, 0xb7, 0, 1, 0, 0, 0]);
    bytes.resize(120, 0);
    bytes
}

#[test]
fn an_exec_format_error_says_what_is_wrong_with_the_format() {
    let place = || {
        let place = built(
            "format",
            // The init would let a shell run what has no first line.
            false,
            &[
                ("no-shebang", "FROM busybox:1.37-musl\nCOPY --chmod=755 run /app/\nCMD [\"/app/run\"]\n"),
                ("arm", "FROM python:3.13-slim\nCOPY --chmod=755 run /app/\nCMD [\"/app/run\"]\n"),
            ],
        );
        place.write("no-shebang/run", "echo hello\nsleep 1000\n");
        place.write("arm/run", arm_program());
        place
    };
    let Some(lab) = beside(&[BUSYBOX, PYTHON], place) else { return };
    lab.xtask(&["build"]).exits(0);
    for (service, what, fix) in [
        (
            "no-shebang",
            "`/app/run` is no program: its first line does not say what runs it",
            "let the file begin with `#!/bin/sh`, or what else should run it",
        ),
        (
            "arm",
            "`/app/run` is made for arm64, and this engine runs on amd64",
            "build it for amd64 in arm/Dockerfile",
        ),
    ] {
        let up = up_fails(&lab, &["--no-build", service]);
        // The code depends on the version of runc.
        let said = first_lines(&up.stderr).replace("exit code 255", "exit code 1");
        let wanted = format!(
            "error: `{service}` ended with exit code 1: {what}\n  at {service}/Dockerfile:3\n  \
             why: | exec /app/run: exec format error\n  fix: {fix}, then: cargo xtask up"
        );
        assert_eq!(said, wanted, "{}", up.stderr);
    }
}

#[test]
fn what_a_program_misses_in_its_image_is_named() {
    let place = || {
        let place = built(
            "missing",
            true,
            &[
                ("file-python", "FROM python:3.13-slim\nWORKDIR /app\nCMD [\"python\", \"main.py\"]\n"),
                ("file-node", "FROM node:20-slim\nWORKDIR /app\nCMD [\"node\", \"server.js\"]\n"),
                ("module-node", "FROM node:20-slim\nCMD [\"node\", \"-e\", \"require('express')\"]\n"),
                (
                    "library-c",
                    "FROM gcc:14 AS build\nWORKDIR /src\nCOPY main.c gone.c ./\n\
                     RUN gcc -shared -fPIC -o libgone.so gone.c && gcc -o app main.c -L. -lgone\n\
                     FROM debian:bookworm-slim\nCOPY --from=build /src/app /app\nCMD [\"/app\"]\n",
                ),
                (
                    "library-python",
                    "FROM python:3.13-slim\nCMD [\"python\", \"-c\", \"import ctypes; ctypes.CDLL('libpq.so.5')\"]\n",
                ),
                (
                    "variable-python",
                    "FROM python:3.13-slim\nCOPY main.py /\nCMD [\"python\", \"/main.py\"]\n",
                ),
                ("variable-node", "FROM node:20-slim\nCOPY main.js /\nCMD [\"node\", \"/main.js\"]\n"),
            ],
        );
        place.write("library-c/main.c", "int gone(void); int main(void) { return gone(); }\n");
        place.write("library-c/gone.c", "int gone(void) { return 0; }\n");
        place.write("variable-python/main.py", "import os\nprint(os.environ['LEDGER_' + 'URL'])\n");
        place.write(
            "variable-node/main.js",
            "const name = 'LEDGER_' + 'TOKEN';\nif (!process.env[name]) throw new Error(`${name} is not set`);\n",
        );
        place
    };
    let Some(lab) = beside(&[PYTHON, NODE, GCC, DEBIAN], place) else { return };
    lab.xtask(&["build"]).exits(0);
    assert_each_says(
        &lab,
        &[
            (
                "file-python",
                "error: `file-python` ended with exit code 2: the file `/app/main.py` is not in its image
  at file-python/Dockerfile:3
  why: | python: can't open file '/app/main.py': [Errno 2] No such file or directory
  fix: COPY `main.py` in file-python/Dockerfile (.dockerignore may leave it out), then: cargo xtask up",
            ),
            (
                "file-node",
                "error: `file-node` ended with exit code 1: the file `/app/server.js` is not in its image
  at file-node/Dockerfile:3
  why: | Error: Cannot find module '/app/server.js'
  fix: COPY `server.js` in file-node/Dockerfile (.dockerignore may leave it out), then: cargo xtask up",
            ),
            (
                "module-node",
                "error: `module-node` ended with exit code 1: the module `express` is not in its image
  at module-node/Dockerfile:2
  why: | Error: Cannot find module 'express'
  fix: install it, or COPY it, in module-node/Dockerfile, then: cargo xtask up",
            ),
            (
                "library-c",
                "error: `library-c` ended with exit code 127: the shared library `libgone.so` is not in its image
  at library-c/Dockerfile:7
  why: | /app: error while loading shared libraries: libgone.so: cannot open shared object file: No such file or directory
  fix: install its package in library-c/Dockerfile, then: cargo xtask up",
            ),
            (
                "library-python",
                "error: `library-python` ended with exit code 1: the shared library `libpq.so.5` is not in its image
  at library-python/Dockerfile:2
  why: | OSError: libpq.so.5: cannot open shared object file: No such file or directory
  fix: install its package (Debian: libpq5) in library-python/Dockerfile, then: cargo xtask up",
            ),
            (
                "variable-python",
                "error: `variable-python` ended with exit code 1: the variable `LEDGER_URL` is not set
  at integration/docker-compose.yml:22
  why: | KeyError: 'LEDGER_URL'
  fix: set `LEDGER_URL` in the environment of `variable-python` in integration/docker-compose.yml, then: cargo xtask up",
            ),
            (
                "variable-node",
                "error: `variable-node` ended with exit code 1: the variable `LEDGER_TOKEN` is not set
  at integration/docker-compose.yml:26
  why: | Error: LEDGER_TOKEN is not set
  fix: set `LEDGER_TOKEN` in the environment of `variable-node` in integration/docker-compose.yml, then: cargo xtask up",
            ),
        ],
    );
}

#[test]
fn a_command_that_the_engine_itself_does_not_find_is_named() {
    let services = "services:
  web:
    image: busybox:1.37-musl
    command: [serve]
  shell:
    image: busybox:1.37-musl
    command: [/etc]
";
    let Some(lab) = beside(&[BUSYBOX], || system("engine", services, &[])) else { return };
    assert_up_says(
        &lab,
        &["web"],
        "error: `web` could not be started: the command `serve` is not in its image
  at integration/docker-compose.yml:2
  why: | exec: \"serve\": executable file not found in $PATH: unknown
  fix: install `serve` in the image `busybox:1.37-musl`, or correct the command there, then: cargo xtask up",
    );
    assert_up_says(
        &lab,
        &["shell"],
        "error: `shell` could not be started: its command `/etc` is a folder
  at integration/docker-compose.yml:5
  why: | exec: \"/etc\": is a directory: unknown: permission denied
  fix: name the program in it in the image `busybox:1.37-musl`, then: cargo xtask up",
    );
}
