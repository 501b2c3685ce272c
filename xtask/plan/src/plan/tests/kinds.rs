//! Plans from small monorepos: which variables mean kinds that make no databases.

use super::*;

#[test]
fn storage_of_a_provider_is_emulated_where_a_value_means_the_emulator() {
    let files = |value: &str| {
        let files = format!(
            "//- /files/package.json\n{{\"dependencies\":{{\"@azure/storage-blob\":\"12\"}}}}\n//- /files/x.js\nf(process.env.AZURE_STORAGE_CONNECTION_STRING)\n\
             //- /files/.env.example\nAZURE_STORAGE_CONNECTION_STRING={value}\n"
        );
        requires(&planned(&node("files", &files)), "files")
    };
    assert_eq!(files("UseDevelopmentStorage=true"), ["azurite"]);
    assert_eq!(files(""), Vec::<String>::new());
    assert_eq!(files("DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=x"), Vec::<String>::new());
}

#[test]
fn variable_that_is_called_after_a_port_may_hold_the_host_too() {
    let flow = |given: &str| {
        let files = format!(
            "//- /flow/package.json\n{{\"dependencies\":{{\"@temporalio/client\":\"1\"}}}}\n//- /flow/x.js\nf(process.env.TEMPORAL_HOST_PORT || '{given}')\n"
        );
        value(&planned(&node("flow", &files)), "flow", "TEMPORAL_HOST_PORT")
    };
    assert_eq!(flow("localhost:7233").as_deref(), Some("temporal:7233"));
    assert_eq!(flow("7233").as_deref(), Some("7233"));
}

#[test]
fn host_that_an_image_here_is_built_for_is_that_server() {
    let tree = node(
        "api",
        "//- /api/x.js\nf(process.env.SERIES_HOSTNAME)\n//- /api/.env.example\nSERIES_HOSTNAME=shop-series\n",
    );
    let stack = planned(&format!("{tree}//- /shop-series/Dockerfile\nFROM questdb/questdb:9.3.2\n"));
    assert_eq!(requires(&stack, "api"), ["shop-series"]);
    assert_eq!(value(&stack, "api", "SERIES_HOSTNAME").as_deref(), Some("shop-series"));
}
