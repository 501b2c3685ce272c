//! How a container was made, as `docker inspect` shows it: its command, variables, mounts and limits. Asks nobody.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::run::diagnose::facts::variables;

/// How a container was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Anatomy {
    /// Program and arguments, entry point and command joined.
    pub args: Vec<String>,
    /// Its variables, the image's included.
    pub env: BTreeMap<String, String>,
    /// The image as it was asked for.
    pub image: String,
    /// `linux/arm64`, where the engine says; empty else.
    pub architecture: String,
    /// Empty for root.
    pub user: String,
    /// The folder it starts in.
    pub folder: String,
    /// Bytes; 0 where nothing limits it.
    pub memory: u64,
    /// What is mounted into it.
    pub mounts: Vec<Mount>,
    /// Its networks.
    pub networks: Vec<String>,
}

/// Something mounted into a container.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mount {
    /// `bind`, `volume` or `tmpfs`.
    pub kind: String,
    /// The host's path of a `bind`, the name of a `volume`.
    pub source: String,
    /// Inside the container.
    pub target: String,
}

impl Anatomy {
    /// The mount that a path of the container lies in.
    pub fn mount_of(&self, path: &str) -> Option<&Mount> {
        let inside = |mount: &&Mount| {
            let target = mount.target.trim_end_matches('/');
            path.strip_prefix(target).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.mounts.iter().filter(inside).max_by_key(|mount| mount.target.len())
    }

    /// A path as the container's process means it.
    pub fn absolute(&self, path: &str) -> String {
        if path.starts_with('/') {
            return path.to_owned();
        }
        let folder = self.folder.trim_end_matches('/');
        format!("{folder}/{}", path.trim_start_matches("./"))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Raw {
    path: String,
    args: Vec<String>,
    config: RawConfig,
    host_config: RawHost,
    mounts: Vec<RawMount>,
    network_settings: RawNetworks,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct RawConfig {
    env: Option<Vec<String>>,
    image: String,
    user: String,
    working_dir: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct RawHost {
    memory: u64,
    tmpfs: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct RawMount {
    #[serde(rename = "Type")]
    kind: String,
    name: String,
    source: String,
    destination: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct RawNetworks {
    networks: Option<BTreeMap<String, serde_json::Value>>,
}

/// Reads the array that `docker inspect` prints for one container; what is missing in it stays empty.
pub fn parse(json: &str) -> Option<Anatomy> {
    let raw = serde_json::from_str::<Vec<Raw>>(json).ok()?.into_iter().next()?;
    let tmpfs = raw.host_config.tmpfs.unwrap_or_default().into_keys();
    let tmpfs = tmpfs.map(|target| Mount { kind: "tmpfs".to_owned(), source: String::new(), target });
    let mounts = raw.mounts.into_iter().map(|mount| Mount {
        source: if mount.kind == "volume" { mount.name } else { mount.source },
        kind: mount.kind,
        target: mount.destination,
    });
    Some(Anatomy {
        args: std::iter::once(raw.path).chain(raw.args).filter(|word| !word.is_empty()).collect(),
        env: variables(&raw.config.env.unwrap_or_default()),
        image: raw.config.image,
        architecture: String::new(),
        user: raw.config.user,
        folder: raw.config.working_dir,
        memory: raw.host_config.memory,
        mounts: mounts.chain(tmpfs).collect(),
        networks: raw.network_settings.networks.unwrap_or_default().into_keys().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_read_whole_and_gaps_are_no_error() {
        let anatomy = parse(
            r#"[{"Path":"/app/run","Args":["-v"],"Config":{"Env":["A=b=c","EMPTY="],"Image":"api","User":"node","WorkingDir":"/app"},
                "HostConfig":{"Memory":33554432,"Tmpfs":{"/tmp":""}},
                "Mounts":[{"Type":"volume","Name":"p_data","Source":"/var/x","Destination":"/data"},
                          {"Type":"bind","Source":"/r/init","Destination":"/data/init"}],
                "NetworkSettings":{"Networks":{"p_services":{}}}}]"#,
        )
        .unwrap();
        assert_eq!(anatomy.args, ["/app/run", "-v"]);
        assert_eq!(anatomy.env.get("A").map(String::as_str), Some("b=c"));
        assert_eq!((anatomy.memory, anatomy.networks), (33_554_432, vec!["p_services".to_owned()]));
        assert_eq!(parse(r#"[{"Id":"a","HostConfig":{"Tmpfs":null}}]"#), Some(Anatomy::default()));
        assert_eq!(parse("nothing"), None);
    }

    #[test]
    fn a_path_lies_in_the_innermost_mount() {
        let mount = |target: &str| Mount { target: target.to_owned(), ..Mount::default() };
        let anatomy = Anatomy {
            mounts: vec![mount("/data"), mount("/data/init/")],
            folder: "/app".to_owned(),
            ..Anatomy::default()
        };
        let target = |path: &str| anatomy.mount_of(path).map(|mount| mount.target.as_str());
        assert_eq!(target("/data/init/01.sql"), Some("/data/init/"));
        assert_eq!(target("/data/x"), Some("/data"));
        assert_eq!(target("/database"), None);
        assert_eq!(anatomy.absolute("./run.sh"), "/app/run.sh");
    }
}
