//! Configuration files of the frameworks, and what they say.

use super::*;
use crate::discover::lang::testing::{say, survives, what};

#[test]
fn spring_configuration_names_port_name_and_addresses() {
    let text = "server:\n  port: ${PORT:8081}\nspring:\n  application:\n    name: accounts\n  datasource:\n    url: jdbc:postgresql://${DB_HOST:db}:5432/app\n    username: app\n  rabbitmq:\n    host: broker\n    port: 5673\n";
    assert_eq!(
        say(ALL, "a/src/main/resources/application.yml", text),
        [
            "2 java-config-placeholder env PORT 8081",
            "2 java-config-placeholder port 8081 Listen by PORT",
            "2 java-config-port port 8081 FrameworkConfig by PORT",
            "2 java-config-port value PORT=8081 FrameworkConfig",
            "5 java-application-name alias accounts",
            "7 java-config ref jdbc:postgresql|db|5432|app via SPRING_DATASOURCE_URL",
            "7 java-config value SPRING_DATASOURCE_URL=jdbc:postgresql://db:5432/app FrameworkConfig",
            "7 java-config-placeholder env DB_HOST db",
            "7 java-config-placeholder ref |db|-|- via DB_HOST",
            "8 framework-config-login value SPRING_DATASOURCE_USERNAME=app FrameworkConfig",
            "10 java-config ref |broker|5673|- via SPRING_RABBITMQ_HOST",
            "10 java-config value SPRING_RABBITMQ_HOST=broker FrameworkConfig",
            "11 framework-config-login value SPRING_RABBITMQ_PORT=5673 FrameworkConfig",
        ]
    );
}

#[test]
fn properties_and_profiles_are_read() {
    let file = "a/src/main/resources/application-docker.properties";
    assert_eq!(
        what(
            ALL,
            file,
            "# x\nserver.port=80\neureka.client.serviceUrl.defaultZone=http://discovery:8761/eureka/\n"
        ),
        [
            "port 80 FrameworkConfig by SERVER_PORT",
            "value SERVER_PORT=80 FrameworkConfig",
            "ref http|discovery|8761|- via EUREKA_CLIENT_SERVICEURL_DEFAULTZONE",
            "value EUREKA_CLIENT_SERVICEURL_DEFAULTZONE=http://discovery:8761/eureka/ FrameworkConfig"
        ]
    );
    assert!(what(ALL, "a/src/main/resources/application-test.yml", "server.port: 1").is_empty());
    assert!(what(ALL, "a/src/main/resources/application-local.yml", "server:\n  port: 8085").is_empty());
}

#[test]
fn context_path_may_stand_behind_a_variable() {
    let health = |path: &str| {
        let text = format!("server.servlet.context-path={path}\n");
        let found = what(ALL, "a/src/main/resources/application.properties", &text);
        found.into_iter().filter(|fact| fact.starts_with("health")).collect::<Vec<_>>()
    };
    assert_eq!(health("/api"), ["health Http /api/actuator/health"]);
    assert_eq!(health("${CONTEXT_PATH:/api}"), ["health Http /api/actuator/health"]);
    assert_eq!(health("${CONTEXT_PATH:/}"), Vec::<String>::new());
    assert_eq!(health("${CONTEXT_PATH}"), Vec::<String>::new());
}

#[test]
fn what_only_another_place_demands_is_not_demanded() {
    let text = "spring:\n  config:\n    activate:\n      on-profile: native\na: file:///${GIT_REPO}\n---\nb: ${NEEDED}\n";
    assert_eq!(
        what(ALL, "a/src/main/resources/application.yml", text),
        ["env GIT_REPO -", "env NEEDED - required"]
    );
}

#[test]
fn a_config_servers_files_are_about_other_services() {
    let text = "server:\n  port: 6000\nspring:\n  data:\n    mongodb:\n      host: accounts-db\n";
    assert_eq!(
        what(ALL, "config/src/main/resources/shared/accounts.yml", text),
        [
            "[accounts] port 6000 FrameworkConfig by SERVER_PORT",
            "[accounts] value SERVER_PORT=6000 FrameworkConfig",
            "[accounts] ref |accounts-db|-|- via SPRING_DATA_MONGODB_HOST",
            "[accounts] value SPRING_DATA_MONGODB_HOST=accounts-db FrameworkConfig"
        ]
    );
    assert!(what(ALL, "config/src/main/resources/shared/other.yml", "a: http://b:80\n").is_empty());
}

#[test]
fn gateway_routes_name_services() {
    let text = "spring:\n  cloud:\n    gateway:\n      routes:\n        - id: a\n          uri: lb://accounts-service\n";
    assert_eq!(
        what(ALL, "g/src/main/resources/application.yml", text),
        ["ref lb|accounts-service|-|- via -"]
    );
}

#[test]
fn appsettings_name_addresses_under_the_variables_that_override_them() {
    let text = "\u{feff}{\n  // local\n  \"ConnectionStrings\": { \"Default\": \"Server=postgres;Port=5432;Database=app;User Id=u\" },\n  \"RabbitMq\": {\n    \"HostName\": \"rabbitmq\",\n    \"UserName\": \"guest\"\n  },\n  \"Kestrel\": { \"Endpoints\": { \"Http\": { \"Url\": \"http://*:5000\" } } }\n}";
    assert_eq!(
        say(ALL, "a/appsettings.Docker.json", text),
        [
            "3 dotnet-config ref |postgres|5432|app via ConnectionStrings__Default",
            "5 dotnet-config ref |rabbitmq|-|- via RabbitMq__HostName",
            "5 dotnet-config value RabbitMq__HostName=rabbitmq FrameworkConfig",
            "6 framework-config-login value RabbitMq__UserName=guest FrameworkConfig",
            "8 dotnet-config-port port 5000 FrameworkConfig by Kestrel__Endpoints__Http__Url",
        ]
    );
}

#[test]
fn routes_of_a_proxy_may_lie_in_a_file_of_their_own() {
    let text = "\u{feff}{ \"ReverseProxy\": { \"Clusters\": { \"orders\": { \"Destinations\": { \"one\": { \"Address\": \"http://orders.api:8080/\" } } } } } }";
    let found = what(ALL, "a/ReverseProxies/orders.proxy.json", text);
    assert_eq!(found, ["framework yarp", "ref http|orders.api|8080|- via -"]);
    let other = "{ \"/api\": { \"target\": \"http://orders.api:8080\" }, \"Clusters\": {} }";
    assert!(what(ALL, "a/some.proxy.json", other).is_empty());
}

#[test]
fn ocelot_names_hosts_and_ports() {
    let text = "{\"Routes\":[{\"DownstreamHostAndPorts\":[{\"Host\":\"accounts\",\"Port\":80}]}]}";
    assert!(
        what(ALL, "g/ocelot.json", text)
            .contains(&"ref |accounts|80|- via Routes__0__DownstreamHostAndPorts__0__Host".to_owned())
    );
}

#[test]
fn ocelot_names_services_of_the_registry() {
    let text = "{\"Routes\":[{\"ServiceName\":\"AccountsService\",\"UpstreamPathTemplate\":\"/a\"}]}";
    assert!(what(ALL, "g/ocelot.json", text).contains(&"ref lb|AccountsService|-|- via -".to_owned()));
}

#[test]
fn any_free_port_becomes_the_usual_one() {
    for (text, variable) in [
        ("server:\n  port: 0\n", "SERVER_PORT"),
        ("micronaut:\n  server:\n    port: ${SERVICE_PORT:-1}\n", "SERVICE_PORT"),
    ] {
        let said = what(ALL, "a/src/main/resources/application.yml", text);
        assert!(said.contains(&format!("port 8080 FrameworkConfig by {variable}")), "{said:?}");
        assert!(said.contains(&format!("value {variable}=8080 FrameworkConfig")), "{said:?}");
    }
    assert!(what(ALL, "a/src/main/resources/application.yml", "management.server.port: -1\n").is_empty());
}

#[test]
fn hostile_files_are_survived() {
    survives(ALL, &["a/application.yml", "a/application.properties", "a/appsettings.json"]);
}

#[test]
fn logins_of_a_profile_of_quarkus_are_called_like_those_of_all() {
    let text = "%prod.quarkus.datasource.username = app\n%prod.quarkus.datasource.jdbc.url = jdbc:postgresql://db:5432/shop\n\
                quarkus.mongodb.database = cafe\nquarkus.mongodb.connection-string = mongodb://far:27017\n%dev.quarkus.mongodb.database = cafe\n";
    let found = what(ALL, "a/src/main/resources/application.properties", text);
    assert!(!found.iter().any(|line| line.contains("_DEV_") || line.contains("_PROD_")), "{found:#?}");
    assert!(found.contains(&"value QUARKUS_MONGODB_DATABASE=cafe FrameworkConfig".to_owned()), "{found:#?}");
}

#[test]
fn address_within_a_longer_value_is_the_variables_that_moves_it() {
    let text =
        "spring.config.import=${CONFIG_IMPORT:configserver:http://config:8888},optional:file:/run/secrets/\n";
    let found = what(ALL, "a/src/main/resources/application.properties", text);
    assert!(!found.iter().any(|line| line.contains("SPRING_CONFIG_IMPORT")), "{found:#?}");
    assert!(found.iter().any(|line| line.contains(" CONFIG_IMPORT")), "{found:#?}");
}
