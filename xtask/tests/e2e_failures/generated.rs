//! Faults in a monorepo whose setup is generated: what mends them is named by its key in `config.yaml`.

use crate::lab::{Lab, beside};
use crate::place::Place;
use crate::system::{assert_up_says, first_lines, up_fails};

const PYTHON: &str = "python:3.13-slim";
const NODE: &str = "node:20-slim";
const PROBE: &str = "busybox:1.37-musl";

const SHOP: &str = "const http = require('http');
http.createServer((request, answer) => {
  answer.writeHead(request.url === '/health' ? 404 : 200);
  answer.end();
}).listen(Number(process.env.PORT || 3000));
";

fn monorepo() -> Place {
    let place = Place::new("faults");
    place.write(
        "ledger/Dockerfile",
        "FROM python:3.13-slim\nCOPY main.py /app/\nCMD [\"python\", \"/app/main.py\"]\n",
    );
    // The name of the variable is made up as it runs, so that no reader of the code finds it.
    place.write("ledger/main.py", "import os\nos.environ['_'.join(['LEDGER', 'URL'])]\n");
    place.write(
        "shop/Dockerfile",
        "FROM node:20-slim\nCOPY server.js /\nENV PORT=3000\nEXPOSE 3000\nHEALTHCHECK --interval=1s --retries=2 --start-period=0s \
         CMD node -e \"require('http').get('http://127.0.0.1:3000/health', r => { console.log('HTTP', r.statusCode); process.exit(1) })\"\n\
         CMD [\"node\", \"/server.js\"]\n",
    );
    place.write("shop/server.js", SHOP);
    place
}

fn starts_with(lab: &Lab, service: &str, wanted: &[&str]) {
    let up = up_fails(lab, &[service]);
    let first = first_lines(&up.stderr);
    let lines: Vec<&str> = first.lines().collect();
    for (line, wanted) in lines.iter().zip(wanted) {
        assert!(line.starts_with(wanted), "{}\n--- wanted\n{wanted}", up.stderr);
    }
}

#[test]
fn the_key_that_mends_a_fault_is_named() {
    let Some(lab) = beside(&[PYTHON, NODE, PROBE], monorepo) else { return };
    lab.xtask(&["integrate"]).exits(0);
    lab.keep_apart();
    let line = |service: &str, key: &str| {
        let text = lab.read("integration/docker-compose.yml");
        let mut lines = text.lines().enumerate().skip_while(|(_, line)| *line != format!("  {service}:"));
        lines.find(|(_, line)| line.trim_start().starts_with(key)).map_or(0, |(at, _)| at + 1)
    };
    assert_up_says(
        &lab,
        &["ledger"],
        &format!(
            "error: `ledger` ended with exit code 1: the variable `LEDGER_URL` is not set
  at integration/docker-compose.yml:{}
  why: | KeyError: 'LEDGER_URL'
  fix: set services.ledger.env.LEDGER_URL in integration/config.yaml, then: cargo xtask integrate && cargo xtask up",
            line("ledger", "ledger:")
        ),
    );
    starts_with(
        &lab,
        "shop",
        &[
            "error: `shop` does not get healthy: its health check gets 404 from `/health`",
            "  at integration/docker-compose.yml:",
            "  why: the server runs",
            "  fix: set services.shop.health to a path that it serves in integration/config.yaml, then: cargo xtask integrate && cargo xtask up",
        ],
    );
}
