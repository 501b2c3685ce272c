//! Health checks, smoke commands and connection scripts in their own images, as far as these are on this machine.

use xtask::catalog::Catalog;

use crate::engine::skip;
use crate::server::{Server, is_here};

#[test]
fn each_server_becomes_healthy_and_its_commands_tell_right_from_wrong() {
    let catalog = Catalog::load(&[]).expect("the built-in entries parse");
    let all = catalog.iter().flat_map(|entry| entry.versions.values().map(move |version| (entry, version)));
    let here: Vec<_> = all.filter(|(_, version)| is_here(&version.image)).collect();
    if here.is_empty() {
        return skip("no engine answers, or it has no image of the catalogue");
    }
    let mut wrong = Vec::new();
    for (entry, version) in &here {
        let server = Server::start(entry, version);
        if let Err(why) = server.wait().and_then(|()| server.smoke()).and_then(|()| server.connect()) {
            wrong.push(format!("{}: {why}", version.image));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
