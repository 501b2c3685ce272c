//! Which Dockerfiles of small monorepos are services, what they are called, and what is set aside.

use super::*;
use crate::discover::Scope;

fn names(tree: &str) -> Vec<String> {
    let repo = Repo::from_fixture(tree);
    let found = find(&repo, &Catalog::default(), &Roots::of(&repo, &Scope::default()));
    assert!(found.set_aside.is_empty(), "{:?}", found.set_aside);
    found.services.into_iter().map(|service| service.name).collect()
}

#[test]
fn folder_of_tools_may_hold_the_images_of_code_elsewhere() {
    let image = |name: &str| {
        format!(
            "//- /scripts/docker/Dockerfile.{name}\nFROM node\nCOPY ./services/{name} ./services/{name}\nCMD [\"node\", \"main.js\"]\n"
        )
    };
    let code =
        |name: &str| format!("//- /services/{name}/package.json\n{{}}\n//- /services/{name}/main.js\n\n");
    let tree = ["orders", "users"].map(|name| image(name) + &code(name)).concat()
        + "//- /scripts/check/Dockerfile\nFROM node\nCOPY . .\nCMD [\"node\", \"check.js\"]\n//- /scripts/check/package.json\n{}\n//- /web/Dockerfile\nFROM node\nCOPY . .\nCMD [\"node\", \"main.js\"]\n//- /web/package.json\n{}\n";
    let names = |tree: &str| {
        let found = find(&Repo::from_fixture(tree), &Catalog::default(), &Roots::default());
        found.services.into_iter().map(|service| service.name).collect::<Vec<_>>()
    };
    assert_eq!(names(&tree), ["orders", "users", "web"]);
    let whole = "//- /scripts/docker/Dockerfile\nFROM python\nCOPY . .\nCMD [\"python\", \"main.py\"]\n//- /main.py\n\n//- /pyproject.toml\n\n";
    assert_eq!(names(&format!("{tree}{whole}")).len(), 4);
}

#[test]
fn name_of_a_module_is_no_variant_whatever_its_words_say_elsewhere() {
    let image = |name: &str| {
        format!(
            "//- /docker/Dockerfile.{name}\nFROM node\nCOPY ./apps/{name} ./\nCMD [\"node\", \"main.js\"]\n"
        )
    };
    let code = |name: &str| format!("//- /apps/{name}/package.json\n{{}}\n//- /apps/{name}/main.js\n\n");
    let own =
        ["git_integration", "integration_worker", "worker"].map(|name| image(name) + &code(name)).concat();
    assert_eq!(names(&own), ["git-integration", "integration-worker", "worker"]);
}

#[test]
fn folder_without_code_packs_the_service_that_is_called_so_but_for_the_systems_name() {
    let service = |name: &str| {
        format!(
            "//- /src/Shop.{name}/Shop.{name}.Api/Dockerfile\nFROM x\nCOPY . .\n//- /src/Shop.{name}/Shop.{name}.Api/Program.cs\n\n\
             //- /infra/{name}-service/Dockerfile\nFROM x\nCOPY . .\n"
        )
    };
    let all = aside(&["orders", "users", "stock"].map(service).concat());
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(
        all.contains(
            &"infra/orders-service/Dockerfile: another packing of `src/Shop.orders/Shop.orders.Api/Dockerfile`"
                .to_owned()
        ),
        "{all:?}"
    );
}

#[test]
fn services_of_one_name_are_told_apart_by_the_folders_that_say_whose_they_are() {
    let nginx = |whose: &str| {
        format!(
            "//- /{whose}/.docker/nginx/Dockerfile\nFROM nginx\nCOPY nginx.conf /etc/nginx/conf.d\n//- /{whose}/.docker/nginx/nginx.conf\n\n"
        )
    };
    assert_eq!(names(&(nginx("orders") + &nginx("users"))), ["orders-nginx", "users-nginx"]);
}

#[test]
fn dockerfiles_for_compose_and_for_a_cluster_are_one_service() {
    let tree = "//- /gateway/Dockerfile.k8s\nFROM x\nCOPY . .\n//- /gateway/Dockerfile.compose\nFROM x\nCOPY . .\n//- /gateway/main.py\n\n";
    let found = find(&Repo::from_fixture(tree), &Catalog::default(), &Roots::default());
    let services: Vec<(&str, &str)> =
        found.services.iter().map(|service| (service.name.as_str(), service.dockerfile.as_str())).collect();
    assert_eq!(services, [("gateway", "gateway/Dockerfile.compose")]);
}

#[test]
fn server_in_a_dockerfile_for_development_is_infrastructure() {
    let tree = "//- /orders/Dockerfile\nFROM x\nCOPY . .\n//- /orders/main.py\n\n\
                //- /search/dev.Dockerfile\nFROM elasticsearch:8\n//- /jobs/dev.Dockerfile\nFROM python\n//- /jobs/main.py\n\n";
    let catalog = Catalog::load(&[]).expect("the catalogue parses");
    let found = find(&Repo::from_fixture(tree), &catalog, &Roots::default());
    let kinds: Vec<&str> = found.components.iter().map(|one| one.kind.as_str()).collect();
    let aside: Vec<&str> = found.set_aside.iter().map(|one| one.path.as_str()).collect();
    assert_eq!((kinds, aside), (vec!["elasticsearch"], vec!["jobs/dev.Dockerfile"]));
}

#[test]
fn image_that_only_builds_a_library_is_no_service() {
    let found = |class: &str, command: &str| {
        let tree = format!(
            "//- /common/Dockerfile\nFROM maven:3.9 AS build\nCOPY pom.xml .\nCOPY src ./src\nRUN mvn install\n{command}\n\
             //- /common/pom.xml\n<project/>\n//- /common/src/main/java/A.java\n{class}\n"
        );
        let found = find(&Repo::from_fixture(&tree), &Catalog::default(), &Roots::default());
        (found.set_aside.len(), found.services.len())
    };
    let starts = "class A { public static void main(String[] args) {} }";
    assert_eq!(found("class A {}", ""), (1, 0));
    assert_eq!(found("class A {}", "CMD [\"mvn\", \"jetty:run\"]"), (0, 1));
    assert_eq!(found(starts, ""), (0, 1));
}

#[test]
fn the_commands_themselves_are_no_services() {
    let tree = "//- /shop/Dockerfile\nFROM x\nCOPY . .\n//- /shop/main.py\n\n\
                //- /xtask/Cargo.toml\n[package]\n//- /xtask/fixtures/api/Dockerfile\nFROM x\nCOPY . .\n\
                //- /tools/x/xtask/discover/src/discover/services.rs\n\n\
                //- /tools/x/workspace/code/market/Dockerfile\nFROM x\nCOPY . .\n\
                //- /tools/x/.ci/images/base/Dockerfile\nFROM x\nCOPY . .\n";
    assert_eq!(names(tree), ["shop"]);
}

#[test]
fn empty_dockerfile_hides_no_written_one() {
    let tree = "//- /Cargo.toml\n[workspace]\n//- /crates/auth/Cargo.toml\n[package]\nname = \"auth\"\n//- /crates/auth/src/main.rs\nfn main() {}\n\
                //- /crates/auth/Dockerfile\n\n//- /Dockerfile.auth\nFROM rust\nCOPY . .\nRUN cargo build -p auth\nCMD [\"auth\"]\n";
    let found = find(&Repo::from_fixture(tree), &Catalog::default(), &Roots::default());
    let services: Vec<&str> = found.services.iter().map(|service| service.dockerfile.as_str()).collect();
    assert_eq!(services, ["Dockerfile.auth"]);
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    let alone = "//- /auth/Dockerfile\n\n//- /auth/main.py\n\n";
    let found = find(&Repo::from_fixture(alone), &Catalog::default(), &Roots::default());
    assert_eq!(found.problems.len(), 1, "where it is the only one, that is said");
}

#[test]
fn subject_that_is_called_test_is_a_service() {
    let tree = "//- /Services/Test/Test.API/Dockerfile\nFROM x\nCOPY . .\n//- /Services/Test/Test.API/Program.cs\n\n\
                //- /test/Orders.Tests/Dockerfile\nFROM x\nCOPY . .\n//- /test/Orders.Tests/a.cs\n\n";
    assert_eq!(aside(tree), ["test/Orders.Tests/Dockerfile: tests"]);
}

fn aside(tree: &str) -> Vec<String> {
    let found = find(&Repo::from_fixture(tree), &Catalog::default(), &Roots::default());
    found.set_aside.into_iter().map(|aside| format!("{}: {}", aside.path, aside.reason)).collect()
}

#[test]
fn images_of_a_whole_system_and_tools_are_no_services_beside_others() {
    let api = "//- /api/Dockerfile\nFROM node:22\nCOPY . .\nCMD [\"node\", \"x.js\"]\n";
    let all = "//- /prod.Dockerfile\nFROM node:22 AS base\nCOPY . .\nFROM base AS aio\nCMD [\"node\", \"all.js\"]\n";
    assert_eq!(aside(&format!("{api}{all}")), ["prod.Dockerfile: an image that holds all services in one"]);
    assert_eq!(aside(all), Vec::<String>::new());
    let tool = "//- /build/pnpm/Dockerfile\nFROM node:22-alpine\nRUN npm install -g pnpm\n";
    assert_eq!(
        aside(&format!("{api}{tool}")),
        ["build/pnpm/Dockerfile: it starts nothing, and holds nothing of this repository"]
    );
    let logs = "//- /logs/Dockerfile\nFROM fluentd\nCOPY fluent.conf /etc/\n//- /logs/fluent.conf\n\n";
    assert_eq!(
        aside(&format!("{api}{logs}")),
        ["logs/Dockerfile: it collects what the machine's containers say"]
    );
    let system = "//- /Dockerfile\nFROM node:22\nRUN apt-get install -y redis-server supervisor\nCOPY . .\nCMD [\"supervisord\"]\n";
    assert_eq!(aside(&format!("{api}{system}")), ["Dockerfile: an image that holds all services in one"]);
    let tool = "//- /ci-compose/Dockerfile\nFROM ubuntu\nRUN curl -L x\nENTRYPOINT [\"/usr/local/bin/docker-compose\"]\n";
    assert_eq!(
        aside(&format!("{api}{tool}")),
        ["ci-compose/Dockerfile: a tool of deployment, with nothing of this repository"]
    );
    let pages = "//- /codec/Dockerfile\nFROM emscripten/emsdk:3.1.50\nCOPY . .\nCMD [\"make\"]\n";
    assert_eq!(aside(&format!("{api}{pages}")), ["codec/Dockerfile: it builds something for a browser"]);
    let runner = "//- /test-runner/Dockerfile\nFROM ubuntu\nCOPY . .\nCMD [\"./x\"]\n";
    assert_eq!(aside(&format!("{api}{runner}")), ["test-runner/Dockerfile: tests"]);
}

#[test]
fn image_of_programs_that_all_have_their_own_is_none() {
    let program = |name: &str| {
        format!(
            "//- /services/{name}/Dockerfile\nFROM golang\nCOPY . .\nCMD [\"./x\"]\n//- /services/{name}/main.go\n\n"
        )
    };
    let both = program("orders") + &program("users");
    let all = |command: &str| {
        format!(
            "//- /services/Dockerfile\nFROM golang AS build\nCOPY . .\nFROM alpine\nCOPY --from=build /bin /app\nCMD [\"{command}\"]\n"
        )
    };
    let shared = "//- /services/jobs/main.go\n\n";
    assert_eq!(
        aside(&format!("{both}{}", all("/app/gone"))),
        ["services/Dockerfile: an image that holds all services in one"]
    );
    // It starts the one that has none of its own.
    assert_eq!(aside(&format!("{both}{shared}{}", all("/app/jobs"))), Vec::<String>::new());
    assert_eq!(
        aside(&format!("{both}{}//- /services/go.mod\nmodule x\n", all("/app/gone"))),
        Vec::<String>::new()
    );
}

#[test]
fn image_for_development_into_which_the_code_is_mounted_is_none_beside_programs() {
    let api = "//- /api/Dockerfile\nFROM node:22\nCOPY . .\nCMD [\"node\", \"x.js\"]\n//- /api/x.js\n\n";
    let web = "//- /docker/Dockerfile.dev-web\nFROM node:22\nCMD [\"npm\", \"run\", \"dev\"]\n//- /web/package.json\n{}\n//- /web/x.js\n\n";
    assert_eq!(
        aside(&format!("{api}{web}")),
        ["docker/Dockerfile.dev-web: for development, with the code mounted into it"]
    );
    assert_eq!(names(web), ["web"]);
}

#[test]
fn image_whose_code_is_elsewhere_is_none() {
    let api = "//- /api/Dockerfile\nFROM node:22\nCOPY . .\nCMD [\"node\", \"x.js\"]\n//- /api/x.js\n\n";
    let web = "//- /web/Dockerfile\nFROM php:8.4-fpm\nCOPY composer.json ./\n//- /web/site.conf\n\n";
    assert_eq!(aside(&format!("{api}{web}")), ["web/Dockerfile: what it is built from is not here"]);
    assert_eq!(aside(&format!("{api}{web}//- /web/index.php\n\n")), Vec::<String>::new());
    assert_eq!(aside(&format!("{api}{web}//- /composer.json\n{{}}\n")), Vec::<String>::new());
}

#[test]
fn image_of_a_server_that_loads_data_is_no_server() {
    let seed = |folder: &str, command: &str| {
        format!(
            "//- /{folder}/Dockerfile\nFROM mongo:7\nCOPY data /data\n{command}\n//- /{folder}/data/x.json\n{{}}\n"
        )
    };
    let found = |tree: &str| {
        let catalog = Catalog::load(&[]).expect("the catalogue parses");
        let found = find(&Repo::from_fixture(tree), &catalog, &Roots::default());
        (found.components.len(), found.set_aside.len(), found.services.len())
    };
    assert_eq!(found(&seed("MongoSeed", "CMD ./import.sh")), (0, 1, 0));
    assert_eq!(found(&seed("data", "CMD mongoimport --host db --file /data/x.json")), (0, 1, 0));
    assert_eq!(found(&seed("store", "CMD [\"mongod\", \"--replSet\", \"rs0\"]")), (1, 0, 0));
    assert_eq!(found(&seed("seed", "")), (1, 0, 0));
}

#[test]
fn image_of_a_server_with_scripts_for_it_is_that_server() {
    let found = |command: &str| {
        let tree = format!(
            "//- /store/Dockerfile\nFROM mongo:7\nCOPY requirements.txt functions.py ./\nRUN pip install -r requirements.txt\n{command}\n\
             //- /store/requirements.txt\nrequests\n//- /store/functions.py\n\n//- /store/entrypoint.sh\n\n"
        );
        let catalog = Catalog::load(&[]).expect("the catalogue parses");
        let found = find(&Repo::from_fixture(&tree), &catalog, &Roots::default());
        (found.components.len(), found.services.len())
    };
    assert_eq!(found("CMD [\"/entrypoint.sh\"]"), (1, 0));
    assert_eq!(found(""), (1, 0));
    assert_eq!(found("CMD [\"python3\", \"functions.py\"]"), (0, 1), "for its client");
    assert_eq!(found("COPY entrypoint.sh /\nCMD [\"/entrypoint.sh\"]"), (0, 1), "who knows what it starts");
}

#[test]
fn folder_that_an_argument_names_is_the_services_also_where_it_is_the_only_one() {
    let tree = "//- /infra/Dockerfile.node\nARG SERVICE=orders\nFROM node:22\nARG SERVICE\n\
                COPY backend/services/${SERVICE} app/${SERVICE}\nCMD [\"node\", \"app\"]\n\
                //- /backend/services/orders/package.json\n{}\n//- /backend/services/orders/x.js\n\n";
    assert_eq!(names(tree), ["orders"]);
}

#[test]
fn folder_of_that_name_with_a_dockerfile_is_a_service() {
    let tree = "//- /xtask/Dockerfile\nFROM x\nCOPY . .\n//- /xtask/Cargo.toml\n[package]\n";
    assert_eq!(names(tree), ["xtask"]);
}

#[test]
fn dockerfile_for_all_is_not_built_for_what_has_its_own() {
    let unified = "//- /Dockerfile\nFROM golang AS build\nCOPY . .\nARG SERVICE\nRUN go build -o /out ./cmd/${SERVICE}\nFROM alpine\n\
                   COPY --from=build /out /out\nCMD [\"/out\"]\n//- /go.mod\nmodule shop\n";
    let program = |name: &str| format!("//- /cmd/{name}/main.go\npackage main\n");
    let own = |name: &str| {
        format!(
            "//- /deployments/{name}/Dockerfile\nFROM golang\nCOPY . .\nRUN go build -o /x ./cmd/{name}\nCMD [\"/x\"]\n"
        )
    };
    let tree = |own: &str| format!("{unified}{}{}{own}", program("orders"), program("users"));
    let dockerfiles = |own: &str| {
        let found = find(&Repo::from_fixture(&tree(own)), &Catalog::default(), &Roots::default());
        let one = |service: &ServiceFacts| format!("{}: {}", service.name, service.dockerfile);
        found.services.iter().map(one).collect::<Vec<_>>()
    };
    assert_eq!(dockerfiles(""), ["orders: Dockerfile", "users: Dockerfile"]);
    assert_eq!(dockerfiles(&own("orders")), ["orders: deployments/orders/Dockerfile", "users: Dockerfile"]);
    assert_eq!(
        dockerfiles(&(own("orders") + &own("users"))),
        ["orders: deployments/orders/Dockerfile", "users: deployments/users/Dockerfile"]
    );
}

#[test]
fn dockerfile_that_builds_its_program_is_better_than_one_that_packs_a_missing_one() {
    let found = |program: &str| {
        let tree = format!(
            "//- /docker/Dockerfile-Orders\nFROM scratch\nCOPY orders_server /\nCMD [\"/orders_server\"]\n\
             //- /docker/Dockerfile-Orders-Local\nFROM golang AS build\nCOPY . .\nRUN go build -o /orders_server ./cmd/orders\n\
             FROM scratch\nCOPY --from=build /orders_server /\nCMD [\"/orders_server\"]\n\
             //- /go.mod\nmodule shop\n//- /cmd/orders/main.go\npackage main\n{program}"
        );
        let found = find(&Repo::from_fixture(&tree), &Catalog::default(), &Roots::default());
        found
            .services
            .into_iter()
            .map(|service| service.dockerfile.name().to_owned())
            .collect::<Vec<String>>()
    };
    assert_eq!(found(""), ["Dockerfile-Orders-Local"]);
    assert_eq!(found("//- /orders_server\nit\n"), ["Dockerfile-Orders"]);
}

#[test]
fn image_of_tools_into_which_only_manifests_get_is_no_service() {
    let service = "//- /apps/api/Dockerfile\nFROM golang\nCOPY . .\nRUN go build -o /x .\nCMD [\"/x\"]\n//- /apps/api/main.go\npackage main\n//- /go.mod\nmodule x\n";
    let tools = "//- /build/runner.dockerfile\nFROM golang\nCOPY go.mod go.mod\nCOPY go.sum go.sum\nRUN go mod download\n";
    assert_eq!(
        aside(&format!("{service}{tools}")),
        ["build/runner.dockerfile: it starts nothing, and holds nothing of this repository"]
    );
}

#[test]
fn image_made_from_that_of_the_whole_system_and_pages_about_components_are_no_services() {
    let tree = "//- /orders/Dockerfile\nFROM x\nCOPY . .\n//- /orders/main.py\n\n//- /packaging/Dockerfile.host\nFROM shop/all-in-one:1\n\
                //- /packaging/Dockerfile.storybook\nFROM nginx\nCOPY . .\n";
    assert_eq!(
        aside(tree),
        [
            "packaging/Dockerfile.host: an image that holds all services in one",
            "packaging/Dockerfile.storybook: documentation of components"
        ]
    );
}

#[test]
fn what_lies_beside_the_image_of_the_whole_system_is_about_that_one() {
    let tree = "//- /orders/Dockerfile\nFROM node\nCOPY . .\n//- /orders/package.json\n{}\n//- /Dockerfile\nFROM node\nCOPY . .\n//- /package.json\n{}\n\
                //- /packaging/all-in-one/Dockerfile\nFROM x\n//- /packaging/all-in-one/config.js\nlet url = process.env.ONLY_THERE\n";
    let facts = crate::discover::discover(&Repo::from_fixture(tree), &Catalog::default(), &Scope::default());
    let is_there =
        |fact: &crate::model::fact::Fact| fact.at.path.is_in(&RepoPath::new("packaging").expect("inside"));
    assert!(!facts.expect("is read").services.iter().any(|service| service.facts.iter().any(is_there)));
}

#[test]
fn image_that_packs_nothing_but_what_somebody_has_to_build_before_is_none_where_no_code_is() {
    let tree = |packed: &str| {
        format!(
            "//- /orders/Dockerfile\nFROM x\nCOPY . .\n//- /orders/main.py\n\n//- /dev/Dockerfile.binary\nFROM busybox\nCOPY {packed} /shop\n\
             ENTRYPOINT [\"/shop\"]\n//- /dev/start.toml\n\n"
        )
    };
    assert_eq!(aside(&tree("shop")), ["dev/Dockerfile.binary: what it is built from is not here"]);
    assert_eq!(names(&tree("start.toml")).len(), 2);
}
