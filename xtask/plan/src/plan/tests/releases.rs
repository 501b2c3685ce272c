//! Images of servers that the repository names: which run as written, and what runs in place of the others.

use super::*;

fn with_image(image: &str) -> Stack {
    planned(&format!(
        "{API}//- /api/.env.example\nAMQP_URL=amqp://localhost:5672\nDATABASE_URL=postgres://localhost:5432/api\n\
         //- /docker-compose.yml\nservices: {{ server: {{ image: '{image}' }} }}\n"
    ))
}

fn images(stack: &Stack, name: &str) -> Vec<String> {
    let all = stack.containers.iter().filter(|container| container.name.starts_with(name));
    all.filter_map(|container| container.image.clone()).collect()
}

fn said(stack: &Stack) -> Vec<String> {
    let replaced = stack.inventory.problems.iter().filter(|problem| problem.code == "image-replaced");
    replaced.map(|problem| problem.message.clone()).collect()
}

#[test]
fn an_image_that_is_too_old_for_its_setup_gives_way_to_the_catalogues_and_it_is_said() {
    let stack = with_image("rabbitmq:3.7-management");
    assert_eq!(images(&stack, "server"), ["rabbitmq:3-management", "rabbitmq:3-management"]);
    assert_eq!(
        said(&stack),
        [
            "`server` runs rabbitmq:3-management in place of rabbitmq:3.7-management: what is set up on it needs 3.8.9 or newer"
        ]
    );
    // Of releases that the catalogue does not know at all, the oldest that it knows is the nearest.
    assert_eq!(images(&with_image("postgres:9.6-alpine"), "server"), ["postgres:14", "postgres:14"]);
    for image in ["rabbitmq:3.8-alpine", "postgres:12", "postgres:alpine"] {
        let stack = with_image(image);
        assert_eq!(
            (images(&stack, "server"), said(&stack)),
            (vec![image.to_owned(), image.to_owned()], Vec::new())
        );
    }
}

#[test]
fn an_image_of_another_make_gives_way_too() {
    let stack = with_image("bitnami/postgresql:16");
    assert_eq!(images(&stack, "server"), ["postgres:16", "postgres:16"]);
    assert_eq!(
        said(&stack),
        [
            "`server` runs postgres:16 in place of bitnami/postgresql:16: which takes other variables and mounts"
        ]
    );
}

#[test]
fn an_image_that_config_asks_for_and_that_is_too_old_is_refused() {
    let fixture = format!("{API}//- /api/.env.example\nAMQP_URL=amqp://localhost:5672\n");
    let config = "infrastructure:\n  rabbitmq: { image: \"rabbitmq:3.7\" }\n";
    let failure = try_plan(&fixture, config).expect_err("its setup cannot run").to_string();
    assert_eq!(
        failure,
        "rabbitmq:3.7 is too old\n  at config.yaml:2\n  \
         why: what is set up on RabbitMQ needs 3.8.9 or newer\n  \
         fix: name a newer one, or run it elsewhere and set infrastructure.rabbitmq to { external: true, url: ... }"
    );
}

#[test]
fn nothing_is_set_up_on_a_server_written_by_hand_that_is_too_old() {
    let fixture = format!("{API}//- /api/.env.example\nAMQP_URL=amqp://localhost:5672\n");
    let catalog = Catalog::load(&[]).expect("the catalogue parses");
    let facts = discover(&Repo::from_fixture(&fixture), &catalog, &Scope::default()).expect("can be read");
    let written = |image: &str| {
        let server = Handwritten { image: Some(image.to_owned()), ..Handwritten::default() };
        let handwritten = BTreeMap::from([("rabbitmq".to_owned(), server)]);
        let context = Context { handwritten, ..Context::default() };
        plan(&facts, &catalog, &Config::default(), &context).expect("can be planned")
    };
    let old = written("rabbitmq:3.7");
    assert!(old.containers.iter().all(|container| container.name != "rabbitmq-setup"));
    let problem = old.inventory.problems.iter().find(|problem| problem.code == "server-written-by-hand");
    assert_eq!(
        problem.map(|problem| problem.message.as_str()),
        Some(
            "`api` needs a virtual host on `rabbitmq`, which runs rabbitmq:3.7, and its setup needs 3.8.9 or newer; none is made"
        )
    );
    assert!(written("rabbitmq:3.12").containers.iter().any(|container| container.name == "rabbitmq-setup"));
}
