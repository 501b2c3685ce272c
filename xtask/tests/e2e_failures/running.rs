//! What starts and does not stay, does not answer, or cannot be reached; and those who wait for it.

use crate::lab::beside;
use crate::system::{assert_up_says, first_lines, system, up_fails};

const BUSYBOX: &str = "busybox:1.37-musl";
const PYTHON: &str = "python:3.13-slim";
const NODE: &str = "node:20-slim";

#[test]
fn a_crash_loop_is_no_running_service() {
    let services = "services:
  known:
    image: python:3.13-slim
    command: [python, -c, \"import os; os.environ['QUEUE_URL']\"]
    restart: always
  unknown:
    image: busybox:1.37-musl
    command: [sh, -c, \"echo cannot think; exit 3\"]
    restart: unless-stopped
  slow:
    image: busybox:1.37-musl
    command: [sh, -c, \"sleep 2.5; echo not today; exit 1\"]
    restart: always
  job:
    image: busybox:1.37-musl
    command: [sh, -c, sleep 1000]
    depends_on: [slow]
";
    let Some(lab) = beside(&[BUSYBOX, PYTHON], || system("loops", services, &[])) else { return };
    assert_up_says(
        &lab,
        &["known"],
        "error: `known` ends with exit code 1 again and again (3 restarts): the variable `QUEUE_URL` is not set
  at integration/docker-compose.yml:2
  why: | KeyError: 'QUEUE_URL'
  fix: set `QUEUE_URL` in the environment of `known` in integration/docker-compose.yml, then: cargo xtask up",
    );
    let unknown = up_fails(&lab, &["unknown"]);
    assert_eq!(
        unknown.stderr.lines().skip_while(|line| !line.starts_with("error: ")).take(4).collect::<Vec<_>>(),
        [
            "error: `unknown` ends with exit code 3 again and again (3 restarts)",
            "  at integration/docker-compose.yml:6",
            "  why: its last log lines:",
            "       | cannot think",
        ]
    );
    assert!(unknown.stderr.ends_with("  fix: cargo xtask logs unknown\n"), "{}", unknown.stderr);
    let slow = up_fails(&lab, &["job"]);
    let first = first_lines(&slow.stderr);
    assert!(
        first.starts_with("error: `slow` ends with exit code 1 again and again (3 restarts)\n"),
        "{first}"
    );
}

#[test]
fn memory_that_ran_out_is_named_with_its_limit() {
    let services = "services:
  limit-shell:
    image: busybox:1.37-musl
    command: [sh, -c, \"exec tail -c 900000000 /dev/zero\"]
    mem_limit: 16m
  limit-python:
    image: python:3.13-slim
    command: [python, -c, \"x = bytearray(10**9)\"]
    deploy: { resources: { limits: { memory: 48M } } }
  heap-node:
    image: node:20-slim
    command: [node, --max-old-space-size=16, -e, \"const a = []; for (;;) a.push(new Array(100000).fill(a.length + 0.5))\"]
    # Without a check it would count as running, on a machine on which it needs seconds to fill its memory.
    healthcheck: { test: [CMD, \"false\"], interval: 60s }
";
    let Some(lab) = beside(&[BUSYBOX, PYTHON, NODE], || system("memory", services, &[])) else { return };
    assert_up_says(
        &lab,
        &["limit-shell"],
        "error: `limit-shell` ended with exit code 137: its memory ran out
  at integration/docker-compose.yml:5
  why: the kernel killed it (SIGKILL) at its limit of 16 MiB
  fix: raise that limit in integration/docker-compose.yml, then: cargo xtask up",
    );
    assert_up_says(
        &lab,
        &["limit-python"],
        "error: `limit-python` ended with exit code 137: its memory ran out
  at integration/docker-compose.yml:6
  why: the kernel killed it (SIGKILL) at its limit of 48 MiB
  fix: raise that limit in integration/docker-compose.yml, then: cargo xtask up",
    );
    let node = up_fails(&lab, &["heap-node"]);
    let lines: Vec<&str> = node.stderr.lines().skip_while(|line| !line.starts_with("error: ")).collect();
    assert_eq!(lines[0], "error: `heap-node` ended with exit code 139: the heap of Node.js ran out");
    assert!(lines[2].contains("JavaScript heap out of memory"), "{}", node.stderr);
    assert!(
        lines[3].starts_with("  fix: set NODE_OPTIONS=--max-old-space-size=2048 in the environment"),
        "{}",
        lines[3]
    );
}

/// A server in Python that answers everything with a status.
const SERVER_PY: &str = "import http.server, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass
    def do_GET(self):
        if sys.argv[2] == 'late':
            time.sleep(60)
        print('asked for', self.path, flush=True)
        self.send_response(int(sys.argv[2]))
        self.end_headers()
http.server.ThreadingHTTPServer((sys.argv[1], 3000), Handler).serve_forever()
";
/// The same in JavaScript.
const SERVER_JS: &str = "const [host, status] = process.argv.slice(2);
require('http').createServer((request, answer) => {
  if (status === 'late') return;
  console.log('asked for', request.url);
  answer.writeHead(Number(status));
  answer.end();
}).listen(3000, host);
";

/// The checks that the generator writes for these images.
const CHECK_PY: &str = "[CMD, python3, -c, \"import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', 3000, timeout=2); c.request('GET', '/health'); s = c.getresponse().status; print('HTTP', s); sys.exit(s >= 400)\"]";
const CHECK_JS: &str = "[CMD, node, -e, \"require('http').get('http://127.0.0.1:3000/health', r => { console.log('HTTP', r.statusCode); process.exit(r.statusCode < 400 ? 0 : 1) }).on('error', e => { console.log(e.message); process.exit(1) })\"]";

/// A server with the generator's check and a label, as the generator writes it.
fn server(name: &str, host: &str, status: &str, ports: &str) -> String {
    let timeout = if status == "late" { "1s" } else { "20s" };
    let (image, program, check) = match name.ends_with("python") {
        true => (PYTHON, "python, /code/server.py", CHECK_PY),
        false => (NODE, "node, /code/server.js", CHECK_JS),
    };
    format!(
        "  {name}:
    image: {image}
    command: [{program}, \"{host}\", \"{status}\"]
    volumes: [\"../code:/code:ro\"]
    ports: [{ports}]
    healthcheck: {{ test: {check}, interval: 1s, timeout: {timeout}, retries: 3, start_period: 0s }}
    labels: {{ xtask.health: http 3000 /health, xtask.role: service }}
"
    )
}

#[test]
fn a_health_check_that_is_answered_with_no_or_too_late_says_what_it_got() {
    let servers = [
        ("404-python", "404"),
        ("404-node", "404"),
        ("500-python", "500"),
        ("500-node", "500"),
        ("late-python", "late"),
        ("late-node", "late"),
    ];
    let services: String = servers.iter().map(|(name, status)| server(name, "0.0.0.0", status, "")).collect();
    let services = format!(
        "services:\n{services}  web:\n    image: {BUSYBOX}\n    command: [sleep, \"1000\"]\n    depends_on: {{ 404-node: {{ condition: service_healthy }} }}\n"
    );
    let files = [("code/server.py", SERVER_PY), ("code/server.js", SERVER_JS)];
    let Some(lab) = beside(&[BUSYBOX, PYTHON, NODE], || system("answers", &services, &files)) else { return };
    let health_at = |service: &str| {
        let text = lab.read("integration/docker-compose.yml");
        let lines = text.lines().enumerate().skip_while(|(_, line)| *line != format!("  {service}:"));
        lines.into_iter().find(|(_, line)| line.contains("healthcheck")).expect("it has a check").0 + 1
    };
    let set = "let the health check ask for a path that it serves, in the `healthcheck`";
    for (service, status) in &servers[..2] {
        let chain = if *service == "404-node" { "       web waits for it\n" } else { "" };
        let wanted = format!(
            "error: `{service}` is unhealthy: its health check gets {status} from `/health`
  at integration/docker-compose.yml:{}
  why: the server runs, its health check fails
{chain}  fix: {set} of `{service}` in integration/docker-compose.yml, then: cargo xtask up",
            health_at(service)
        );
        let name = if *service == "404-node" { "web" } else { service };
        assert_up_says(&lab, &[name], &wanted);
    }
    for (service, status) in &servers[2..4] {
        let wanted = format!(
            "error: `{service}` is unhealthy: its health check gets {status} from `/health`
  at integration/docker-compose.yml:{}
  why: | asked for /health
       the server runs, its health check fails
  fix: cargo xtask logs {service}",
            health_at(service)
        );
        assert_up_says(&lab, &[service], &wanted);
    }
    for (service, _) in &servers[4..] {
        let wanted = format!(
            "error: `{service}` is unhealthy: its health check gets no answer in time from `/health`
  at integration/docker-compose.yml:{}
  why: the server runs, its health check fails
  fix: cargo xtask logs {service}",
            health_at(service)
        );
        assert_up_says(&lab, &[service], &wanted);
    }
}

#[test]
fn a_server_that_listens_for_itself_alone_is_not_up_though_its_check_passes() {
    let services = format!(
        "services:\n{}{}",
        server("loopback-python", "127.0.0.1", "200", "\"127.0.0.1::3000\""),
        server("loopback-node", "127.0.0.1", "200", "\"127.0.0.1::3000\"")
    );
    let files = [("code/server.py", SERVER_PY), ("code/server.js", SERVER_JS)];
    let Some(lab) = beside(&[PYTHON, NODE], || system("loopback", &services, &files)) else { return };
    for (service, line) in [("loopback-python", 2), ("loopback-node", 9)] {
        let wanted = format!(
            "error: `{service}` cannot be reached: it listens on 127.0.0.1:3000 in its container, where nobody else reaches it
  at integration/docker-compose.yml:{line}
  why: a published port and other services come from outside of the container
  fix: let it listen on 0.0.0.0: set HOST to 0.0.0.0 (where it reads HOST) in the environment of `{service}` in integration/docker-compose.yml, then: cargo xtask up"
        );
        assert_up_says(&lab, &[service], &wanted);
    }
}

#[test]
fn the_first_cause_is_named_and_not_those_that_wait_for_it() {
    let services = "services:
  db:
    image: busybox:1.37-musl
    command: [sh, -c, \"sleep 1; echo disk is on fire; exit 4\"]
    healthcheck: { test: [CMD, \"true\"], interval: 60s, start_period: 0s }
  accounts:
    image: busybox:1.37-musl
    command: [sleep, \"1000\"]
    depends_on: { db: { condition: service_healthy } }
  trading:
    image: busybox:1.37-musl
    command: [sleep, \"1000\"]
    depends_on: { accounts: { condition: service_started }, db: { condition: service_healthy } }
  stuck:
    image: python:3.13-slim
    command: [python, -c, \"import time; time.sleep(1000)\"]
    healthcheck: { test: [CMD, python, -c, \"print('not yet'); exit(1)\"], interval: 1s, retries: 2, start_period: 0s }
  gateway:
    image: busybox:1.37-musl
    command: [sleep, \"1000\"]
    depends_on: { stuck: { condition: service_healthy } }
  page:
    image: busybox:1.37-musl
    command: [sleep, \"1000\"]
    depends_on: { gateway: { condition: service_started } }
  reader:
    image: busybox:1.37-musl
    command: [sleep, \"1000\"]
    depends_on: { slow: { condition: service_healthy } }
  slow:
    image: busybox:1.37-musl
    command: [sleep, \"1000\"]
    healthcheck: { test: [CMD-SHELL, \"echo still thinking; exit 1\"], interval: 3s, start_period: 60s, start_interval: 3s }
";
    let Some(lab) = beside(&[BUSYBOX, PYTHON], || system("chain", services, &[])) else { return };
    assert_up_says(
        &lab,
        &["trading"],
        "error: `db` ended with exit code 4
  at integration/docker-compose.yml:2
  why: accounts and trading wait for it
       its last log lines:
       | disk is on fire
  fix: cargo xtask logs db",
    );
    let streak = regex::Regex::new(r"\d+ in a row").expect("is a pattern");
    for args in [&["page"][..], &["--timeout", "60s", "page"]] {
        let up = up_fails(&lab, args);
        let first = first_lines(&up.stderr);
        assert_eq!(
            streak.replace(&first, "N in a row"),
            "error: `stuck` is unhealthy
  at integration/docker-compose.yml:14
  why: its last health check ended with exit code 1, N in a row failed
       | not yet
       gateway waits for it
       its log is empty",
            "{}",
            up.stderr
        );
    }
    let late = up_fails(&lab, &["--timeout", "8s", "reader"]);
    assert_eq!(
        first_lines(&late.stderr).replace(", 2 in a row failed", "").replace(", 3 in a row failed", ""),
        "error: `slow` is not ready after 8s
  at integration/docker-compose.yml:30
  why: its last health check ended with exit code 1
       | still thinking
       reader waits for it
       its log is empty",
        "{}",
        late.stderr
    );
}

#[test]
fn a_one_shot_that_failed_is_named_with_what_it_said() {
    let services = "services:
  migrate:
    image: python:3.13-slim
    command: [python, -c, \"print('step 1'); print('step 2 failed: no such column'); exit(1)\"]
  seed:
    image: busybox:1.37-musl
    command: [sh, -c, \"echo 'cannot seed: nothing to sow' >&2; exit 9\"]
  api:
    image: busybox:1.37-musl
    command: [sleep, \"1000\"]
    depends_on: { migrate: { condition: service_completed_successfully } }
  web:
    image: busybox:1.37-musl
    command: [sleep, \"1000\"]
    depends_on: { seed: { condition: service_completed_successfully } }
";
    let Some(lab) = beside(&[BUSYBOX, PYTHON], || system("one-shots", services, &[])) else { return };
    assert_up_says(
        &lab,
        &["api"],
        "error: the one-shot `migrate` failed with exit code 1
  at integration/docker-compose.yml:2
  why: api waits for it
       its last log lines:
       | step 1
       | step 2 failed: no such column",
    );
    assert_up_says(
        &lab,
        &["web"],
        "error: the one-shot `seed` failed with exit code 9
  at integration/docker-compose.yml:5
  why: web waits for it
       its last log lines:
       | cannot seed: nothing to sow
  fix: cargo xtask logs seed",
    );
}

#[test]
fn a_host_that_nobody_has_and_a_path_without_rights_are_named() {
    let services = "services:
  host-node:
    image: node:20-slim
    command: [node, -e, \"require('net').connect(5432, process.env.DB_HOST)\"]
    environment:
      DB_HOST: ledger-dbb
  host-python:
    image: python:3.13-slim
    command: [python, -c, \"import urllib.request; urllib.request.urlopen('http://ledger-db:1')\"]
  rights-node:
    image: node:20-slim
    user: node
    command: [node, -e, \"require('fs').mkdirSync('/data/x')\"]
    volumes: [data:/data]
  rights-python:
    image: python:3.13-slim
    user: nobody
    command: [python, -c, \"open('/srv/out.txt', 'w')\"]
volumes:
  data:
";
    // Without a check, what needs seconds to fail on a busy machine would count as running.
    let checked =
        |name: &str| format!("  {name}: {{ healthcheck: {{ test: [CMD, \"false\"], interval: 60s }} }}\n");
    let checks = ["host-node", "host-python", "rights-node", "rights-python"].map(checked).concat();
    let checks = ("integration/docker-compose.override.yml", &*format!("services:\n{checks}"));
    let Some(lab) = beside(&[NODE, PYTHON], || system("hosts", services, &[checks])) else { return };
    assert_up_says(
        &lab,
        &["host-node"],
        "error: `host-node` ended with exit code 1: it looks for the host `ledger-dbb`, which its networks do not know
  at integration/docker-compose.yml:6
  why: | Error: getaddrinfo ENOTFOUND ledger-dbb
  fix: name a service of integration/docker-compose.yml instead, then: cargo xtask up",
    );
    let python = up_fails(&lab, &["host-python"]);
    assert!(
        first_lines(&python.stderr).starts_with("error: `host-python` ended with exit code 1\n"),
        "{}",
        python.stderr
    );
    assert_up_says(
        &lab,
        &["rights-node"],
        "error: `rights-node` ended with exit code 1: its user `node` has no right to `/data/x`
  at integration/docker-compose.yml:10
  why: an empty volume takes its owner from `/data` in the image
       | Error: EACCES: permission denied, mkdir '/data/x'
  fix: before USER in the image `node:20-slim`: RUN mkdir -p /data && chown node /data; then: cargo xtask reset rights-node",
    );
    assert_up_says(
        &lab,
        &["rights-python"],
        "error: `rights-python` ended with exit code 1: its user `nobody` has no right to `/srv/out.txt`
  at integration/docker-compose.yml:15
  why: | PermissionError: [Errno 13] Permission denied: '/srv/out.txt'
  fix: let the image give `/srv/out.txt` to `nobody` in the image `python:3.13-slim`, then: cargo xtask up",
    );
}
