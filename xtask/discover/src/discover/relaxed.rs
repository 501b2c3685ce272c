//! The variables that override a framework's configuration keys; knows the frameworks' rules and reads no files.

/// Spring's, Quarkus' and Micronaut's: `spring.datasource.url` is `SPRING_DATASOURCE_URL`. Dashes fall away in Spring and
/// are underscores elsewhere.
pub fn java(key: &str, spring: bool) -> String {
    let mut name = String::with_capacity(key.len());
    for c in key.chars() {
        match c {
            '-' if spring => {}
            ']' => {}
            c if c.is_ascii_alphanumeric() => name.push(c.to_ascii_uppercase()),
            _ => name.push('_'),
        }
    }
    name
}

/// .NET's: `ConnectionStrings:Default` is `ConnectionStrings__Default`.
pub fn dotnet(key: &str) -> String {
    key.replace(':', "__")
}

/// Last words of keys that stand beside an address and belong to it.
pub fn is_login(key: &str) -> bool {
    const WORDS: &[&str] = &[
        "username",
        "user",
        "password",
        "pass",
        "pwd",
        "userid",
        "database",
        "databasename",
        "db",
        "dbname",
        "vhost",
        "virtualhost",
        "virtual-host",
        "bucket",
        "bucketname",
        "bucket-name",
        "port",
    ];
    let last = key.rsplit(['.', ':', '_']).next().unwrap_or_default().to_ascii_lowercase();
    WORDS.contains(&last.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_the_variables_that_override_them() {
        assert_eq!(java("spring.rabbitmq.virtual-host", true), "SPRING_RABBITMQ_VIRTUALHOST");
        assert_eq!(java("quarkus.datasource.jdbc.url", false), "QUARKUS_DATASOURCE_JDBC_URL");
        assert_eq!(java("a.b[0].c", true), "A_B_0_C");
        assert_eq!(dotnet("RabbitMq:HostName"), "RabbitMq__HostName");
    }
}
